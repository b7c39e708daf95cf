"""A kubeconfig with which another program is, for a short time, who this server is in one cluster.

It holds what authenticates now: the present token of a file or an issuer, or what a credential plugin gave, never the
plugin itself.
https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
    from cloud_native_mcp.contract.http import ClientCertificate, TlsOptions

_NAME: Final = "target"
_BEARER: Final = "Bearer "
_IMPERSONATION: Final = {"Impersonate-User": "as", "Impersonate-Uid": "as-uid"}


async def kubeconfig_for(access: ClusterAccess, *, namespace: str) -> dict[str, object]:
    """The kubeconfig as a document; it holds credentials, so it belongs into a file of mode 0600 or a pipe.

    Raises:
        BackendError: ``unauthorized`` when there is no token to be had, or one of a kind a kubeconfig cannot hold.
    """
    context = {"cluster": _NAME, "user": _NAME, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": _cluster(access)}],
        "users": [{"name": _NAME, "user": await _user(access)}],
        "contexts": [{"name": _NAME, "context": context}],
        "current-context": _NAME,
    }


def _cluster(access: ClusterAccess) -> dict[str, object]:
    tls = access.tls
    cluster: dict[str, object] = {"server": access.server}
    if not tls.verify:
        cluster["insecure-skip-tls-verify"] = True
    elif authority := _data(tls.ca_data, tls.ca_file):
        cluster["certificate-authority-data"] = authority
    if tls.server_name:
        cluster["tls-server-name"] = tls.server_name
    if access.proxy:
        cluster["proxy-url"] = access.proxy
    return cluster


async def _user(access: ClusterAccess) -> dict[str, object]:
    given: Mapping[str, str] = await access.credentials.headers() if access.credentials is not None else {}
    certificate = access.certificates.certificate() if access.certificates is not None else None
    user = _certificate(access.tls) if certificate is None else _pair(certificate)
    authorization = given.get("Authorization", "")
    if authorization.startswith(_BEARER):
        user["token"] = authorization.removeprefix(_BEARER)
    elif authorization or (access.credentials is not None and certificate is None):
        raise BackendError("unauthorized", "the credentials of this target are no bearer token")
    for header, value in access.headers.items():
        if header in _IMPERSONATION:
            user[_IMPERSONATION[header]] = value
        elif header == "Impersonate-Group":
            user["as-groups"] = [value]
    return user


def _certificate(tls: TlsOptions) -> dict[str, object]:
    certificate, key = _data(tls.cert_data, tls.cert_file), _data(tls.key_data, tls.key_file)
    return {"client-certificate-data": certificate, "client-key-data": key} if certificate and key else {}


def _pair(given: ClientCertificate) -> dict[str, object]:
    return {"client-certificate-data": _data(given.certificate, None), "client-key-data": _data(given.key, None)}


def _data(data: bytes | None, file: Path | None) -> str:
    """The bytes, or those in the file as it is now, in base64.

    Raises:
        BackendError: ``unreachable`` when the file cannot be read.
    """
    if data is None and file is not None:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise BackendError("unreachable", f"TLS: {file.name}: {error.strerror}") from error
    return base64.b64encode(data).decode("ascii") if data else ""
