"""The TLS Secret of the scene: a real, self-signed certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.pki import Authority
from lab.scene import TLS_NAME, TLS_SECRET

if TYPE_CHECKING:
    from lab.kube import Manifest


def secret() -> Manifest:
    """A Secret of type kubernetes.io/tls for TLS_NAME."""
    certificate, key = Authority.create("shop-ca").server(TLS_NAME, names=(TLS_NAME, f"www.{TLS_NAME}"))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TLS_SECRET.name, "namespace": TLS_SECRET.namespace},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": certificate.decode(), "tls.key": key.decode()},
    }
