"""Manifests: YAML or JSON documents as objects with a kind and a name, in the order in which they must be applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.contract.yaml import load_all
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.discovery import Discovery
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

MAX_BYTES: Final = 512_000
MAX_DOCUMENTS: Final = 100
_ORDER: Final = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"),
    ("Secret", "ConfigMap"),
    ("StorageClass", "PersistentVolume", "PersistentVolumeClaim"),
    ("Service",),
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob"),
)


@dataclass(frozen=True, slots=True)
class Manifested:
    """One object of a manifest, as it was written."""

    object: Mapping[str, object]

    @property
    def kind(self) -> str:
        """Its kind."""
        return as_str(self.object.get("kind"))

    @property
    def name(self) -> str:
        """Its name; empty when the server is to make one."""
        return as_str(dig(self.object, "metadata", "name"))

    @property
    def namespace(self) -> str:
        """The namespace written in it."""
        return as_str(dig(self.object, "metadata", "namespace"))


@dataclass(frozen=True, slots=True)
class Document(Manifested):
    """An object of a manifest with the number of its document."""

    number: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A document with where it goes. ``resource`` is None while the kind is defined by another document."""

    document: Document
    resource: Resource | None
    namespace: str | None

    @property
    def label(self) -> str:
        """``Deployment shop/web``, as answers name it."""
        name = self.document.name or f"{as_str(dig(self.document.object, 'metadata', 'generateName'))}…"
        return f"{self.document.kind} {self.namespace}/{name}" if self.namespace else f"{self.document.kind} {name}"


def read_manifest(text: str, *, field: str = "manifest") -> list[Document]:
    """The objects of a manifest, with ``List`` documents opened, in the order of application.

    Raises:
        InvalidArgument: ``invalid_yaml`` with line and column; too long; a document that is no object, or lacks
            apiVersion, kind or a name.
    """
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise InvalidArgument(field, f"has {size:,} bytes, at most {MAX_BYTES:,}; send it in parts")
    try:
        loaded = load_all(text, field=field, max_documents=MAX_DOCUMENTS)
    except InvalidArgument as error:
        raise InvalidArgument(field, error.text.removeprefix(f"{field}: "), code="invalid_yaml") from None
    documents = [Document(obj, number) for number, obj in enumerate(_opened(loaded, field), start=1)]
    if not documents:
        raise InvalidArgument(field, "holds no document")
    if len(documents) > MAX_DOCUMENTS:
        raise InvalidArgument(field, f"holds {len(documents)} objects, at most {MAX_DOCUMENTS}; send it in parts")
    for document in documents:
        _check(document, field)
    return sorted(documents, key=lambda document: _rank(document.kind))


async def locate(
    documents: Sequence[Document], discovery: Discovery, *, namespace: str, deadline: Deadline, field: str = "manifest"
) -> list[Planned]:
    """Where each document goes.

    Args:
        namespace: of documents that name none.

    Raises:
        InvalidArgument: ``unknown_kind`` for one that neither the cluster nor another document defines.
    """
    defined = {defines(document) for document in documents}
    planned: list[Planned] = []
    for document in documents:
        group, _, version = as_str(document.object.get("apiVersion")).rpartition("/")
        resource = await discovery.find(group, version, document.kind, deadline=deadline)
        if resource is None and (group, document.kind) not in defined:
            resource = (await discovery.refreshed(deadline)).find(group, version, document.kind)
        if resource is None and (group, document.kind) not in defined:
            text = f"document {document.number}: the cluster serves no {document.kind} in {group or 'core'}/{version}"
            raise InvalidArgument(field, text, code="unknown_kind")
        inside = resource.namespaced if resource else bool(document.namespace)
        if document.name and resource:
            check_name(document.name, field=f"{field} document {document.number} name", resource=resource)
        where = check_namespace(document.namespace or namespace, field=f"{field} namespace") if inside else None
        planned.append(Planned(document, resource, where))
    return planned


def _opened(values: Sequence[object], field: str) -> Iterator[Mapping[str, object]]:
    """The objects, with those of lists in their place."""
    for number, value in enumerate(values, start=1):
        if value is None:
            continue
        obj = as_dict(value)
        if not obj:
            raise InvalidArgument(
                field, f"document {number} is no object; a manifest has apiVersion, kind and metadata"
            )
        if as_str(obj.get("kind")).endswith("List") and isinstance(obj.get("items"), list):
            yield from _opened(as_list(obj["items"]), field)
        else:
            yield obj


def _check(document: Document, field: str) -> None:
    where = f"document {document.number}"
    for name in ("apiVersion", "kind"):
        if not as_str(document.object.get(name)):
            raise InvalidArgument(field, f"{where} lacks {name}")
    if not document.name and not as_str(dig(document.object, "metadata", "generateName")):
        raise InvalidArgument(field, f"{where} ({document.kind}) lacks metadata.name")


def _rank(kind: str) -> int:
    return next((rank for rank, kinds in enumerate(_ORDER) if kind in kinds), len(_ORDER))


def defines(document: Document) -> tuple[str, str] | None:
    """Group and kind that a CustomResourceDefinition brings."""
    if document.kind != "CustomResourceDefinition":
        return None
    return as_str(dig(document.object, "spec", "group")), as_str(dig(document.object, "spec", "names", "kind"))
