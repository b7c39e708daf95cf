"""A namespace of a test's own on the lab's cluster, and the raw API to read back what a tool wrote there."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab import namespaces
from lab.lifecycle import attach
from lab.progress import Progress
from lab.state import State

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from lab.kube import KubeApi, Manifest


@dataclass(frozen=True, slots=True)
class Scratch:
    """The namespace and the administrator's API."""

    namespace: str
    api: KubeApi

    def path(self, group_version: str, plural: str, name: str = "") -> str:
        """The path of a collection in the namespace, or of one object."""
        root = "/apis" if "/" in group_version else "/api"
        return f"{root}/{group_version}/namespaces/{self.namespace}/{plural}{f'/{name}' if name else ''}"

    def make(self, kind: str, name: str, *, group_version: str = "v1", **fields: Any) -> Manifest:
        """Create an object in the namespace."""
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        return self.api.apply({"apiVersion": group_version, "kind": kind, "metadata": metadata, **fields})

    def read(self, group_version: str, plural: str, name: str) -> Manifest:
        """One object as the API has it."""
        return self.api.get(self.path(group_version, plural, name))

    def there(self, group_version: str, plural: str, name: str) -> bool:
        """Whether the object exists."""
        return self.api.find(self.path(group_version, plural, name)) is not None


@contextlib.contextmanager
def scratch_in(state: Path) -> Generator[Scratch]:
    """A fresh namespace in the lab of that state folder; its end is begun, not awaited."""
    lab = attach(State(state), progress=Progress(quiet=True))
    name = f"t-{uuid.uuid4().hex[:8]}"
    try:
        namespaces.create(lab.api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield Scratch(name, lab.api)
        lab.api.delete(f"/api/v1/namespaces/{name}")
    finally:
        lab.close()


def deployment(name: str, *, replicas: int = 1, **spec: Any) -> dict[str, Any]:
    """The fields of a Deployment whose pods the lab runs."""
    labels = {"app": name}
    container = {"name": "main", "image": "registry.example.com/web:1.0", "resources": {"requests": {"cpu": "10m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "group_version": "apps/v1",
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }
