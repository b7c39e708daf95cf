"""Descriptions of ConfigMap, Secret and ServiceAccount. Of a Secret only keys, sizes and keyed digests are shown.

Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.response.mask import MASK
from cloud_native_mcp.response.objects import is_secret_name
from cloud_native_mcp.services.kubernetes.describe.facts import Facts, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def describe_config_map(facts: Facts, obj: Mapping[str, object]) -> None:
    """Keys with their sizes and the beginning of their values; not of values named like a credential."""
    facts.add("immutable", obj.get("immutable"))
    rows = [
        (key, str(len(as_str(value).encode())), MASK if is_secret_name(key) else show(as_str(value)))
        for key, value in as_dict(obj.get("data")).items()
    ]
    rows += [(key, f"{_size(value)} binary", "") for key, value in as_dict(obj.get("binaryData")).items()]
    facts.table("Data", ("KEY", "BYTES", "VALUE"), rows)


def secret_describer(digest: Callable[[bytes], str]) -> Callable[[Facts, Mapping[str, object]], None]:
    """The describer of Secrets; ``digest`` stands for a value so that equal ones are seen to be equal."""

    def describe_secret(facts: Facts, obj: Mapping[str, object]) -> None:
        facts.add("type", obj.get("type"))
        facts.add("immutable", obj.get("immutable"))
        values = {key: _decoded(value) for key, value in as_dict(obj.get("data")).items()}
        rows = [(key, str(len(value)), digest(value)) for key, value in values.items()]
        facts.table("Keys", ("KEY", "BYTES", "DIGEST"), rows)
        if as_str(obj.get("type")) == "kubernetes.io/tls":
            _add_certificate(facts, values.get("tls.crt", b""))

    return describe_secret


def describe_service_account(facts: Facts, obj: Mapping[str, object]) -> None:
    """Secrets it names and whether its token is mounted."""
    facts.add("secrets", [as_str(dig(s, "name")) for s in as_list(obj.get("secrets"))])
    facts.add("image pull secrets", [as_str(dig(s, "name")) for s in as_list(obj.get("imagePullSecrets"))])
    facts.add("mounts token", obj.get("automountServiceAccountToken"))


def _add_certificate(facts: Facts, pem: bytes) -> None:
    """The public part of a TLS certificate: whom it names, who signed it, until when it is good."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        facts.add("certificate", "tls.crt holds no certificate")
        return
    facts.add("subject", certificate.subject.rfc4514_string())
    facts.add("issuer", certificate.issuer.rfc4514_string())
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        facts.add("names", [str(name) for name in names.get_values_for_type(x509.DNSName)])
    except x509.ExtensionNotFound:
        pass
    facts.add("valid from", certificate.not_valid_before_utc.isoformat())
    expiry = certificate.not_valid_after_utc
    expired = f" (EXPIRED {age(expiry.isoformat())} ago)" if expiry < datetime.now(UTC) else ""
    facts.add("valid until", expiry.isoformat() + expired)


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(as_str(value), validate=True)
    except (binascii.Error, ValueError):
        return as_str(value).encode()


def _size(value: object) -> int:
    return len(_decoded(value))
