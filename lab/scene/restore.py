"""Seeding once, and bringing a touched scene back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lab import namespaces
from lab.errors import LabError
from lab.kube import ApiError, in_parallel
from lab.scene import NAMESPACES, VACANT, load, seed, snapshot
from lab.scene.snapshot import Key, namespace_of

if TYPE_CHECKING:
    from lab.context import Lab
    from lab.kube import KubeApi, Manifest
    from lab.state import State

NEEDS = ("kube-controller-manager", "kube-scheduler", "kwok")
"""The servers without which the scene cannot be seeded."""


@dataclass(frozen=True)
class Record:
    """What was seeded: the scene's digest, digests of all objects, and those outside the scene's namespaces whole."""

    scene: str
    digests: dict[Key, str]
    kept: dict[Key, Manifest]


def is_seeded(state: State) -> bool:
    """Whether the lab holds the scene as it is described now."""
    record = _read(state)
    return record is not None and record.scene == load.digest()


def begin(lab: Lab) -> None:
    """Seed everything but the autoscalers, replacing what an older or unfinished seeding left."""
    lab.state.seed.unlink(missing_ok=True)
    with lab.progress.work("seeding the scene"):
        seed.clear(lab)
        seed.seed_cluster(lab)
        in_parallel(lambda name: seed.seed_namespace(lab, name), NAMESPACES)


def finish(lab: Lab) -> None:
    """Seed what needs every server, and record the result."""
    with lab.progress.work("seeding autoscalers"):
        seed.seed_autoscalers(lab)
        seed.drop_noise(lab)
    _record(lab)


def restore(lab: Lab) -> str:
    """Undo every change since the seeding; answers in words what was done."""
    record = _read(lab.state)
    if record is None or record.scene != load.digest():
        begin(lab)
        finish(lab)
        return "the scene was seeded anew"
    now = snapshot.take(lab.api)
    touched = {key for key in now.keys() | record.digests.keys() if _digest(now, key) != record.digests.get(key)}
    if not touched:
        return "nothing had changed"
    affected = tuple(name for name in (*NAMESPACES, VACANT) if any(_belongs(key, name) for key in touched))
    others = {key for key in touched if not any(_belongs(key, name) for name in affected)}
    _undo(lab.api, record, now, others)
    _reseed(lab, affected)
    _record(lab)
    return f"restored {len(others)} objects and the namespaces {', '.join(affected) or '(none)'}"


def _digest(objects: dict[Key, Manifest], key: Key) -> str | None:
    return snapshot.digest(objects[key]) if key in objects else None


def _belongs(key: Key, namespace: str) -> bool:
    """Whether an object is seeded together with a namespace: inside it, itself, or one of its volumes."""
    _, kind, inside, name = key.split(" ")
    volume = kind == "PersistentVolume" and name.startswith(f"{namespace}-")
    return inside == namespace or (kind == "Namespace" and name == namespace) or volume


def _undo(api: KubeApi, record: Record, now: dict[Key, Manifest], keys: set[Key]) -> None:
    """Remove what is new and write back what was changed or removed, outside the scene's own namespaces."""
    new = sorted(key for key in keys if key not in record.digests)
    spaces = {key.split(" ")[3] for key in new if key.split(" ")[1] == "Namespace"}
    in_parallel(lambda name: namespaces.remove(api, name), sorted(spaces))
    in_parallel(lambda key: api.delete(_path(api, key)), [key for key in new if namespace_of(key) not in spaces])
    in_parallel(lambda key: _write_back(api, key, record.kept[key], present=key in now), sorted(keys - set(new)))


def _write_back(api: KubeApi, key: Key, manifest: Manifest, *, present: bool) -> None:
    path = _path(api, key)
    live = api.find(path) if present else None
    if live is None:
        api.request("POST", path.rpartition("/")[0], manifest)
        return
    metadata = {**manifest["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
    try:
        api.request("PUT", path, {**manifest, "metadata": metadata})
    except ApiError as error:
        raise LabError(f"cannot restore {key}: {error}; `python -m lab down --wipe` starts afresh") from error


def _reseed(lab: Lab, affected: tuple[str, ...]) -> None:
    if not affected:
        return
    with lab.progress.work(f"seeding {', '.join(affected)} again"):
        seed.clear(lab, affected)
        if VACANT in affected:
            seed.seed_cluster(lab)
        in_parallel(lambda name: seed.seed_namespace(lab, name), [name for name in affected if name != VACANT])
        seed.seed_autoscalers(lab)


def _path(api: KubeApi, key: Key) -> str:
    group_version, kind, namespace, name = key.split(" ")
    return api.resource(group_version, kind).path(namespace, name)


def _record(lab: Lab) -> None:
    objects = snapshot.take(lab.api)
    scene = (*NAMESPACES, VACANT)
    content = {
        "scene": load.digest(),
        "digests": {key: snapshot.digest(manifest) for key, manifest in objects.items()},
        "kept": {k: m for k, m in objects.items() if not any(_belongs(k, name) for name in scene)},
    }
    fresh = lab.state.seed.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.rename(lab.state.seed)


def _read(state: State) -> Record | None:
    if not state.seed.is_file():
        return None
    content = cast("Manifest", json.loads(state.seed.read_text(encoding="utf-8")))
    return Record(str(content["scene"]), content["digests"], content["kept"])
