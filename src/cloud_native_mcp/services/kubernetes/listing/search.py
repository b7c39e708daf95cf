"""Whether an object holds a text: in its name, labels, annotations, images or addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta

if TYPE_CHECKING:
    from collections.abc import Iterator

PartT = TypeVar("PartT")


class _Container(msgspec.Struct, gc=False):
    image: str = ""


class _Address(msgspec.Struct, gc=False):
    ip: str = ""
    address: str = ""


class _Template(msgspec.Struct, gc=False):
    spec: _Spec | None = None


class _Spec(msgspec.Struct, gc=False, rename="camel"):
    containers: list[_Container] = []
    init_containers: list[_Container] = []
    template: _Template | None = None
    job_template: _Template | None = None
    cluster_ip: str = msgspec.field(name="clusterIP", default="")
    external_name: str = ""


class _Status(msgspec.Struct, gc=False, rename="camel"):
    pod_ips: list[_Address] = msgspec.field(name="podIPs", default_factory=list[_Address])
    host_ip: str = msgspec.field(name="hostIP", default="")
    addresses: list[_Address] = []


class Searchable(msgspec.Struct, gc=False):
    """The searched parts of an object of any kind."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    status: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))

    def holds(self, text: str) -> bool:
        """Whether the text (lower case) is in one of the searched parts."""
        return any(text in part.lower() for part in self._parts())

    def _parts(self) -> Iterator[str]:
        meta = self.metadata
        yield meta.name
        for pairs in (meta.labels, meta.annotations):
            for key, value in pairs.items():
                yield f"{key}={value}"
        yield from _spec_parts(_tolerant(self.spec, _Spec))
        if (status := _tolerant(self.status, _Status)) is not None:
            yield status.host_ip
            for address in (*status.pod_ips, *status.addresses):
                yield address.ip or address.address


def _spec_parts(spec: _Spec | None) -> Iterator[str]:
    """Images and addresses, also those of the pod templates inside."""
    while spec is not None:
        yield from (container.image for container in (*spec.containers, *spec.init_containers))
        yield spec.cluster_ip
        yield spec.external_name
        inner = spec.template or spec.job_template
        spec = inner.spec if inner else None


def _tolerant(raw: msgspec.Raw, shape: type[PartT]) -> PartT | None:
    """The part, or None where a kind uses its names for something else."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError:
        return None
