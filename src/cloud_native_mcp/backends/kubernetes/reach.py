"""What a request to an API server reaches, read off its method and address as the API server itself reads it.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb; how addresses are
taken apart: ``staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`` of Kubernetes 1.37.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.resources import Resource

_VERBS: Final = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_CONNECTING: Final = frozenset({"exec", "attach", "portforward"})
"""Subresources that open a stream into a pod: ``create``, by whichever method (as Kubernetes 1.35 authorises them)."""
_OF_NAMESPACES: Final = frozenset({"status", "finalize"})
_OPEN: Final = ("api", "apis", "openapi", "version", "healthz", "livez", "readyz", "metrics")
"""Addresses that tell of no object: discovery, schemas, health, the server's own counters."""
_APPLY: Final = "application/apply-patch"
_STEPS: Final = 7
"""The longest address of a subresource of the core API; only what a proxy passes on is longer."""
_EVENT_GROUP: Final = "events.k8s.io"


class UnreadableAddressError(ValueError):
    """An address that this module cannot tell the meaning of; nothing this server sends has such a one."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One right that a request needs.

    Attributes:
        namespace: of the objects; for a Namespace its own name, as the API server has it. None for objects outside
            namespaces and for collections over all of them.
        name: empty for collections.
        collection: whether it is about a whole collection, so that without a namespace it may span all of them.
    """

    verb: str
    group: str
    plural: str
    subresource: str = ""
    namespace: str | None = None
    name: str = ""
    collection: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """``pods``, ``deployments.apps``: every name its objects are served under, without the subresource."""
        if self.plural == "events" and self.group in {"", _EVENT_GROUP}:
            return ("events", f"events.{_EVENT_GROUP}")
        return (f"{self.plural}.{self.group}" if self.group else self.plural,)

    @property
    def spans(self) -> bool:
        """Whether it reaches objects of any namespace at once, as far as its address tells."""
        return self.collection and self.namespace is None

    @property
    def of_namespaces(self) -> bool:
        """Whether it is about the Namespaces themselves."""
        return (self.group, self.plural) == ("", "namespaces")

    @property
    def words(self) -> str:
        """``get pods/log web in shop``."""
        name = f"{self.plural}.{self.group}" if self.group else self.plural
        what = f"{name}/{self.subresource}" if self.subresource else name
        where = f" in {self.namespace}" if self.namespace and not self.of_namespaces else ""
        return f"{self.verb} {what}{f' {self.name}' if self.name else ''}{where}"

    def inside(self, namespace: str) -> Reach:
        """The same within one namespace."""
        return replace(self, namespace=namespace)


def object_reach(verb: str, resource: Resource, namespace: str | None, name: str) -> Reach:
    """The right to do that with one object; a Namespace counts as being in itself."""
    itself = (resource.group, resource.plural) == ("", "namespaces")
    where = name if itself else namespace if resource.namespaced else None
    return Reach(verb, resource.group, resource.plural, namespace=where, name=name)


def reaches(method: str, path: str, params: Sequence[tuple[str, str]] = (), *, content: str = "") -> tuple[Reach, ...]:
    """The rights a request needs; none for discovery and other addresses that tell of no object.

    An apply may create, and an eviction deletes: each needs both rights.

    Args:
        path: percent-encoded, below the server's base address.
        content: the media type of the body.

    Raises:
        UnreadableAddressError: an address of another form than this server's own requests have.
    """
    parts = _parts(path)
    if parts[0] not in {"api", "apis"}:
        if parts[0] in _OPEN:
            return ()
        raise UnreadableAddressError(path)
    head = 2 if parts[0] == "api" else 3
    if len(parts) <= head:
        return ()
    reach = _reach(method, "" if parts[0] == "api" else parts[1], parts[head:], _told(params))
    if reach.subresource == "eviction":
        return reach, replace(reach, verb="delete", subresource="")
    if reach.verb == "patch" and content.startswith(_APPLY) and not reach.subresource:
        return reach, replace(reach, verb="create")
    return (reach,)


def _parts(path: str) -> list[str]:
    """The steps of an address, decoded before they are split: an encoded slash is a slash to the API server."""
    if any(sign in path for sign in "?#"):
        raise UnreadableAddressError(path)
    parts = unquote(path).strip("/").split("/")
    if not all(parts[:_STEPS]) or any(part in {".", ".."} for part in parts):
        raise UnreadableAddressError(path)
    return parts


def _reach(method: str, group: str, parts: list[str], params: dict[str, str]) -> Reach:
    namespace = None
    if parts[0] == "namespaces" and not group and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _OF_NAMESPACES:
            parts = parts[2:]
    elif parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    plural, name, subresource = (*parts[:3], "", "")[:3]
    if plural in {"watch", "proxy"} or not all(parts[:3]) or method not in _VERBS:
        raise UnreadableAddressError("/".join(parts))
    verb = "create" if subresource in _CONNECTING else _VERBS[method]
    if not name:
        verb = _of_collection(verb, params)
        name = _only_name(params.get("fieldSelector", ""))
        if (group, plural) == ("", "namespaces") and name:
            namespace = name
    return Reach(verb, group, plural, subresource, namespace, name, collection=len(parts) == 1)


def _told(params: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters that change what is reached; one that could be read in two ways is not read."""
    told: dict[str, str] = {}
    for key, value in params:
        if key in {"watch", "fieldSelector"}:
            if key in told or (key == "watch" and value not in {"1", "true"}):
                raise UnreadableAddressError(f"{key}={value}")
            told[key] = value
    return told


def _of_collection(verb: str, params: dict[str, str]) -> str:
    if verb == "get":
        return "watch" if "watch" in params else "list"
    return "deletecollection" if verb == "delete" else verb


def _only_name(field_selector: str) -> str:
    """The one name that a field selector lets through, if it does that; with escaped signs nothing is concluded."""
    for term in field_selector.split(",") if "\\" not in field_selector else ():
        key, sign, value = term.partition("=")
        if key == "metadata.name" and sign:
            return value.removeprefix("=")
    return ""
