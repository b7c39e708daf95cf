"""Metadata of Kubernetes objects and lists (``meta.k8s.io/v1``); only the fields that are read here."""

from __future__ import annotations

import msgspec

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class OwnerReference(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference from an object to one that owns it."""

    kind: str
    name: str
    uid: str = ""
    api_version: str = ""
    controller: bool | None = None


class ObjectMeta(msgspec.Struct, kw_only=True, gc=False, rename="camel"):
    """Metadata of an object. Times are RFC 3339 as the API gives them.

    The copy of the object that client-side apply keeps in an annotation never gets this far: a Secret's holds its data.
    """

    name: str = ""
    namespace: str = ""
    generate_name: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []
    finalizers: list[str] = []

    def __post_init__(self) -> None:
        """Drop the last applied copy."""
        if self.annotations:
            self.annotations.pop(LAST_APPLIED, None)

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages the object, else its first owner."""
        for reference in self.owner_references:
            if reference.controller:
                return reference
        return self.owner_references[0] if self.owner_references else None


class PartialObject(msgspec.Struct, kw_only=True, gc=False, rename="camel"):
    """An object of any kind, its metadata alone. Items of lists may lack kind and version."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    kind: str = ""
    api_version: str = ""


class ListMeta(msgspec.Struct, kw_only=True, gc=False, rename="camel"):
    """Metadata of a list. ``remaining_item_count`` is missing when a selector was given."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")
    remaining_item_count: int | None = None
