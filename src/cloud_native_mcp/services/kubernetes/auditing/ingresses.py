"""Ingresses: their certificates, and the Services they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import ManagedMeta
from cloud_native_mcp.services.kubernetes.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Tls(msgspec.Struct, gc=False, rename="camel"):
    secret_name: str = ""


class _Port(msgspec.Struct, gc=False):
    name: str = ""
    number: int = 0


class ServiceBackend(msgspec.Struct, gc=False):
    """A Service of the Ingress's namespace, and one of its ports by name or number."""

    name: str = ""
    port: _Port = msgspec.field(default_factory=_Port)


class _Backend(msgspec.Struct, gc=False):
    service: ServiceBackend | None = None


class _Path(msgspec.Struct, gc=False):
    path: str = ""
    backend: _Backend = msgspec.field(default_factory=_Backend)


class _Http(msgspec.Struct, gc=False):
    paths: list[_Path] | None = None


class _Rule(msgspec.Struct, gc=False):
    host: str = ""
    http: _Http | None = None


class _Spec(msgspec.Struct, gc=False, rename="camel"):
    tls: list[_Tls] | None = None
    default_backend: _Backend | None = None
    rules: list[_Rule] | None = None


class Ingress(msgspec.Struct, gc=False):
    """An Ingress with the Secrets its certificates are in, and its backends."""

    metadata: ManagedMeta = msgspec.field(default_factory=ManagedMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)

    @property
    def secrets(self) -> list[str]:
        """Names of Secrets of its namespace."""
        return [one.secret_name for one in self.spec.tls or () if one.secret_name]

    @property
    def backends(self) -> Iterator[tuple[str, ServiceBackend]]:
        """Host and path, and the Service that takes their requests."""
        if self.spec.default_backend is not None and self.spec.default_backend.service is not None:
            yield "default", self.spec.default_backend.service
        for rule in self.spec.rules or ():
            for path in (rule.http.paths if rule.http else None) or ():
                if path.backend.service is not None:
                    yield f"{rule.host or '*'}{path.path or '/'}", path.backend.service


INGRESSES: Final = Kind("networking.k8s.io", "Ingress", Ingress)
