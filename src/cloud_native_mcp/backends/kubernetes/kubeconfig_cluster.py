"""The ``cluster`` entries of a kubeconfig: address, TLS and proxy."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.kubeconfig_user import User


class Cluster(msgspec.Struct, rename="kebab"):
    """Where an API server is and how its identity is checked."""

    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""


def cluster_tls(cluster: Cluster, folder: Path, user: User, user_folder: Path) -> TlsOptions:
    """TLS of a cluster with the client certificate of a user; data wins over files, paths are relative to their file.

    Raises:
        ConfigError: data that is not base64.
    """
    return TlsOptions(
        ca_file=_file(cluster.certificate_authority, folder) if not cluster.certificate_authority_data else None,
        ca_data=decoded(cluster.certificate_authority_data, "certificate-authority-data"),
        cert_file=_file(user.client_certificate, user_folder) if not user.client_certificate_data else None,
        key_file=_file(user.client_key, user_folder) if not user.client_key_data else None,
        cert_data=decoded(user.client_certificate_data, "client-certificate-data"),
        key_data=decoded(user.client_key_data, "client-key-data"),
        server_name=cluster.tls_server_name or None,
        verify=not cluster.insecure_skip_tls_verify,
    )


def cluster_proxy(cluster: Cluster) -> str | None:
    """The proxy of a cluster.

    Raises:
        ConfigError: a proxy that is not spoken to over HTTP.
    """
    if not cluster.proxy_url:
        return None
    if urlsplit(cluster.proxy_url).scheme not in {"http", "https"}:
        raise ConfigError([Problem("kubeconfig", "proxy-url must be an http:// or https:// URL")])
    return cluster.proxy_url


def decoded(data: str, name: str) -> bytes | None:
    """The bytes of a base64 field, or None when it is empty.

    Raises:
        ConfigError: not base64.
    """
    if not data:
        return None
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error as error:
        raise ConfigError([Problem("kubeconfig", f"{name} is not valid base64")]) from error


def _file(path: str, folder: Path) -> Path | None:
    return folder / path if path else None
