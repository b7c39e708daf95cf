"""Certificates that end or ended. Of TLS Secrets only the certificate is decoded, never the key.

Source: https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography import x509

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.ingresses import INGRESSES
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cloud_native_mcp.services.kubernetes.reading import Reader

SOON: Final = timedelta(days=30)
_RENEW: Final = "renew it"


class _Data(msgspec.Struct, gc=False):
    certificate: str = msgspec.field(name="tls.crt", default="")


class TlsSecret(msgspec.Struct, gc=False):
    """A Secret of type ``kubernetes.io/tls`` without its key."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    data: _Data | None = None


class _Condition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""
    message: str = ""


class _Status(msgspec.Struct, gc=False):
    conditions: list[_Condition] | None = None


class Certificate(msgspec.Struct, gc=False):
    """A Certificate of cert-manager."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _Status = msgspec.field(default_factory=_Status)


TLS: Final = Kind("", "Secret", TlsSecret, field_selector="type=kubernetes.io/tls")
ISSUED: Final = Kind("cert-manager.io", "Certificate", Certificate)


async def certificates(reader: Reader) -> list[Finding]:
    """TLS Secrets by their end, Ingresses without theirs, and Certificates that are not ready."""
    found: list[Finding] = []
    known: set[tuple[str, str]] = set()
    async for secret in unhurried(await reader.objects(TLS)):
        known.add((secret.metadata.namespace, secret.metadata.name))
        where = named("Secret", secret.metadata.namespace, secret.metadata.name)
        found += _of_pem(where, secret.data.certificate if secret.data else "", reader.now)
    for ingress in await reader.optional(INGRESSES, "certificates"):
        meta = ingress.metadata
        if missing := sorted(name for name in ingress.secrets if (meta.namespace, name) not in known):
            where = named("Ingress", meta.namespace, meta.name)
            why = f"names TLS Secrets that do not exist: {', '.join(missing)}"
            found.append(Finding("warning", "certificates", "missing", where, why, "create them"))
    for certificate in await reader.optional(ISSUED, "certificates"):
        for condition in certificate.status.conditions or ():
            if condition.type == "Ready" and condition.status != "True":
                where = named("Certificate", certificate.metadata.namespace, certificate.metadata.name)
                fix = "see its CertificateRequest and Issuer"
                found.append(Finding("warning", "certificates", "not_ready", where, condition.message, fix))
    return found


def _of_pem(where: str, encoded: str, now: datetime) -> Iterator[Finding]:
    """The first certificate of a chain: the one that is shown to clients."""
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        yield Finding("warning", "certificates", "unreadable", where, "tls.crt holds no certificate", "replace it")
        return
    end, start = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    subject = certificate.subject.rfc4514_string() or "no subject"
    if end <= now:
        why = f"{subject}: expired {end.isoformat()}"
        yield Finding("critical", "certificates", "expired", where, why, _RENEW)
    elif end - now < SOON:
        why = f"{subject}: ends {end.isoformat()}, in {(end - now).days} days"
        yield Finding("warning", "certificates", "ends_soon", where, why, _RENEW)
    elif start > now:
        why = f"{subject}: good only from {start.isoformat()}"
        yield Finding("warning", "certificates", "not_yet_valid", where, why, "check the clocks and the issuer")
