"""Reading the scene's files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from lab.canary import CANARY
from lab.kube import parse_manifests

if TYPE_CHECKING:
    from lab.kube import Manifest

FOLDER = Path(__file__).parent
MANIFESTS = FOLDER / "manifests"
CHARTS = FOLDER / "charts"


def manifests(name: str) -> list[Manifest]:
    """The objects of one file of the scene, with the canary filled in."""
    return parse_manifests(text(MANIFESTS / f"{name}.yaml"))


def kubectl_file(namespace: str) -> Path | None:
    """The file of objects that kubectl itself must apply, if the namespace has one."""
    file = MANIFESTS / f"{namespace}.kubectl.yaml"
    return file if file.is_file() else None


def text(file: Path) -> str:
    """A file of the scene with the canary filled in."""
    return file.read_text(encoding="utf-8").replace("@CANARY@", CANARY)


def revisions() -> list[dict[str, Any]]:
    """The workloads with a history, as `revisions.yaml` describes them."""
    return cast("list[dict[str, Any]]", yaml.safe_load((FOLDER / "revisions.yaml").read_text(encoding="utf-8")))


def releases() -> list[dict[str, Any]]:
    """The releases of Helm, as `releases.yaml` describes them, with the canary filled in."""
    return cast("list[dict[str, Any]]", yaml.safe_load(text(FOLDER / "releases.yaml")))


def digest() -> str:
    """Changes when anything that decides what the scene looks like does."""
    seen = hashlib.sha256()
    code = [FOLDER / name for name in ("seed.py", "events.py", "logs.py", "releases.py", "tls.py")]
    for file in sorted([*FOLDER.rglob("*.yaml"), *FOLDER.rglob("*.txt"), *code, FOLDER.parent / "conf" / "fates.yaml"]):
        seen.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return seen.hexdigest()
