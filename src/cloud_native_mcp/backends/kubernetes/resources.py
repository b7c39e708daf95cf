"""Kinds of an API server as its discovery describes them, and the paths of their objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of an object with its own path (``scale``, ``log``)."""

    kind: str
    verbs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version of one API group. ``group`` is empty for the core API."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str = ""
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict[str, Subresource], compare=False)

    @property
    def group_version(self) -> str:
        """``apps/v1``, or ``v1`` for the core API: the ``apiVersion`` of objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def display(self) -> str:
        """``deployments.apps``, or ``pods`` for the core API: as kubectl and the server's messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def builtin(self) -> bool:
        """Whether the group belongs to Kubernetes itself."""
        return "." not in self.group or self.group.endswith(".k8s.io")

    def path(self, *, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """Percent-encoded path of the collection, of one object, or of its subresource.

        Without a namespace the collection spans all namespaces. Kinds outside namespaces ignore the namespace.

        Raises:
            InvalidArgument: a namespace or name that breaks the naming rules.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", check_namespace(namespace)]
        parts.append(self.plural)
        if name is not None:
            parts.append(check_name(name, resource=self))
        if subresource:
            parts += subresource.split("/")
        return "/" + "/".join(quote(part, safe="") for part in parts)


@dataclass(frozen=True, slots=True)
class Group:
    """An API group with its versions, the preferred one first. ``stale``: its server did not answer discovery."""

    name: str
    versions: tuple[str, ...]
    stale: bool = False

    @property
    def preferred(self) -> str:
        """The version the server prefers."""
        return self.versions[0] if self.versions else ""
