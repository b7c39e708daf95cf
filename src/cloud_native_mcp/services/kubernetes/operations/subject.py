"""What an operation is done to, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.contract.json_values import as_str, dig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.backends.kubernetes.writes import Written
    from cloud_native_mcp.contract.deadline import Deadline

Action = Literal[
    "restart",
    "undo",
    "pause",
    "resume",
    "suspend",
    "trigger",
    "cordon",
    "uncordon",
    "approve",
    "deny",
    "rerun",
]


@dataclass(frozen=True, slots=True)
class Subject:
    """One object as it was read, and how the operation is meant.

    Attributes:
        namespace: None for kinds outside namespaces.
        revision: the revision to go back to, as given; empty for the one before.
        now: the time of the call, RFC 3339.
    """

    client: KubernetesClient
    resource: Resource
    object: Mapping[str, object]
    namespace: str | None
    revision: str
    now: str
    dry_run: bool
    deadline: Deadline

    @property
    def name(self) -> str:
        """Its name."""
        return as_str(dig(self.object, "metadata", "name"))

    @property
    def version(self) -> str:
        """Its version: a write that holds it is refused (409) once the object changed."""
        return as_str(dig(self.object, "metadata", "resourceVersion"))

    @property
    def label(self) -> str:
        """``Deployment web in namespace shop``."""
        return label_of(self.resource, self.name, self.namespace)


@dataclass(frozen=True, slots=True)
class Performed:
    """What was written: the changed object, or a new one (``resource`` is its kind, ``before`` is empty).

    ``sentence`` says what the difference does not; ``of_status`` tells that the change is in the status.
    """

    written: Written
    resource: Resource
    before: Mapping[str, object]
    sentence: str = ""
    of_status: bool = False


def label_of(resource: Resource, name: str, namespace: str | None) -> str:
    """How answers and errors name an object."""
    return f"{resource.kind} {name}{f' in namespace {namespace}' if namespace else ''}"
