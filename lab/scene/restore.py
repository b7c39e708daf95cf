"""Seeding once, and bringing a touched scene back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lab import namespaces
from lab.errors import LabError
from lab.kube import ApiError, in_parallel
from lab.probes import wait_until
from lab.scene import NAMESPACES, VACANT, load, seed, snapshot
from lab.scene.snapshot import Key, namespace_of

if TYPE_CHECKING:
    from lab.context import Lab
    from lab.kube import KubeApi, Manifest
    from lab.state import State

NEEDS = ("kube-controller-manager", "kube-scheduler", "kwok")
"""The servers without which the scene cannot be seeded."""
CLEAN_SECONDS = 60.0


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
        seed.empty(lab, VACANT)
        seed.seed_cluster(lab)
        in_parallel(lambda name: _reseed_one(lab, name), NAMESPACES)


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
    # what was changed or removed in a namespace of the scene cannot be mended piece by piece: pods and revisions differ
    known = touched & record.digests.keys()
    affected = tuple(name for name in NAMESPACES if any(_belongs(key, name) for key in known))
    others = {key for key in touched if not any(_belongs(key, name) for name in affected)}
    _undo(lab.api, record, others)
    _reseed(lab, affected)
    wait_until("disappearance of what was new", lambda: _is_clean(lab.api, record, affected), within=CLEAN_SECONDS)
    _record(lab)
    return f"restored {len(others)} objects and the namespaces {', '.join(affected) or '(none)'}"


def _is_clean(api: KubeApi, record: Record, reseeded: tuple[str, ...]) -> bool:
    now = snapshot.take(api)
    keys = (key for key in now.keys() | record.digests.keys() if _digest(now, key) != record.digests.get(key))
    return all(any(_belongs(key, name) for name in reseeded) for key in keys)


def _digest(objects: dict[Key, Manifest], key: Key) -> str | None:
    return snapshot.digest(objects[key]) if key in objects else None


def _belongs(key: Key, namespace: str) -> bool:
    """Whether an object is seeded together with a namespace: inside it, or one of its volumes."""
    _, kind, inside, name = key.split(" ")
    return inside == namespace or (kind == "PersistentVolume" and name.startswith(f"{namespace}-"))


def _undo(api: KubeApi, record: Record, keys: set[Key]) -> None:
    """Remove what is new and write back what was changed or removed, outside the scene's own namespaces."""
    new = sorted(key for key in keys if key not in record.digests)
    spaces = {key.split(" ")[3] for key in new if key.split(" ")[1] == "Namespace"}
    in_parallel(lambda name: namespaces.remove(api, name), sorted(spaces))
    in_parallel(lambda key: api.delete(_path(api, key)), [key for key in new if namespace_of(key) not in spaces])
    lost = keys - set(new)
    spaces_first = sorted(lost, key=lambda key: (key.split(" ")[1] != "Namespace", key))
    for key in spaces_first:
        _write_back(api, key, record.kept[key])


def _write_back(api: KubeApi, key: Key, manifest: Manifest) -> None:
    """Make an object what it was; controllers may make a lost one again at the same time."""
    path = _path(api, key)
    try:
        live = api.find(path) or cast("Manifest", api.request("POST", path.rpartition("/")[0], manifest))
    except ApiError as error:
        if error.status != 409:
            raise
        live = api.get(path)
    metadata = {**manifest["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
    try:
        api.request("PUT", path, {**manifest, "metadata": metadata})
    except ApiError as error:
        raise LabError(f"cannot restore {key}: {error}; `python -m lab down --wipe` starts afresh") from error


def _reseed(lab: Lab, names: tuple[str, ...]) -> None:
    if not names:
        return
    with lab.progress.work(f"seeding {', '.join(names)} again"):
        in_parallel(lambda name: _reseed_one(lab, name), names)
        seed.seed_autoscalers(lab)


def _reseed_one(lab: Lab, name: str) -> None:
    seed.empty(lab, name)
    seed.seed_namespace(lab, name)


def _path(api: KubeApi, key: Key) -> str:
    group_version, kind, namespace, name = key.split(" ")
    return api.resource(group_version, kind).path(namespace, name)


def _record(lab: Lab) -> None:
    objects = snapshot.take(lab.api)
    content = {
        "scene": load.digest(),
        "digests": {key: snapshot.digest(manifest) for key, manifest in objects.items()},
        "kept": {k: m for k, m in objects.items() if not any(_belongs(k, name) for name in NAMESPACES)},
    }
    fresh = lab.state.seed.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.rename(lab.state.seed)


def _read(state: State) -> Record | None:
    if not state.seed.is_file():
        return None
    content = cast("Manifest", json.loads(state.seed.read_text(encoding="utf-8")))
    return Record(str(content["scene"]), content["digests"], content["kept"])
