"""The settings of a kubeconfig's ``oidc`` auth provider.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-kubectl
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cloud_native_mcp.backends.kubernetes.kubeconfig_cluster import decoded
from cloud_native_mcp.backends.kubernetes.oidc import OidcCredentials
from cloud_native_mcp.backends.kubernetes.oidc_issuer import Issuer, IssuerAddress
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cloud_native_mcp.contract.http import HttpPool


def oidc_credentials(config: Mapping[str, str], folder: Path, http: HttpPool) -> OidcCredentials:
    """Credentials that refresh themselves; contacts nothing.

    Args:
        folder: where relative paths start.

    Raises:
        ConfigError: no issuer with https, no client, or no token at all.
    """
    issuer, client = config.get("idp-issuer-url", ""), config.get("client-id", "")
    parts = urlsplit(issuer)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise _wrong("idp-issuer-url must be an https:// address without user and query")
    if not client:
        raise _wrong("client-id is missing")
    id_token, refresh_token = config.get("id-token", ""), config.get("refresh-token", "")
    if not id_token and not refresh_token:
        raise _wrong("id-token and refresh-token are both missing; log in first")
    if not (id_token + refresh_token).isascii() or not (id_token + refresh_token).isprintable():
        raise _wrong("id-token or refresh-token holds signs that no token has")
    data, file = config.get("idp-certificate-authority-data", ""), config.get("idp-certificate-authority", "")
    tls = TlsOptions(
        ca_data=decoded(data, "idp-certificate-authority-data"), ca_file=folder / file if file and not data else None
    )
    address = IssuerAddress(issuer, client, config.get("client-secret", ""), tls)
    return OidcCredentials(Issuer(address, http), id_token=id_token, refresh_token=refresh_token)


def _wrong(text: str) -> ConfigError:
    return ConfigError([Problem("kubeconfig", f"auth-provider oidc: {text}")])
