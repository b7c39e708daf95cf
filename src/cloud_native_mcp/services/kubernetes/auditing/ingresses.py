"""Ingresses, as far as their certificates go."""

from __future__ import annotations

from typing import Final

import msgspec

from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import ManagedMeta
from cloud_native_mcp.services.kubernetes.reading import Kind


class _Tls(msgspec.Struct, gc=False, rename="camel"):
    secret_name: str = ""


class _Spec(msgspec.Struct, gc=False):
    tls: list[_Tls] | None = None


class Ingress(msgspec.Struct, gc=False):
    """An Ingress with the Secrets its certificates are in."""

    metadata: ManagedMeta = msgspec.field(default_factory=ManagedMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)

    @property
    def secrets(self) -> list[str]:
        """Names of Secrets of its namespace."""
        return [one.secret_name for one in self.spec.tls or () if one.secret_name]


INGRESSES: Final = Kind("networking.k8s.io", "Ingress", Ingress)
