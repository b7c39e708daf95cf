"""The ``user`` entries of a kubeconfig: tokens, certificates, plugins, impersonation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloud_native_mcp.backends.kubernetes.credentials import StaticToken, TokenFile
from cloud_native_mcp.backends.kubernetes.exec_plugin import API_VERSIONS, PluginCommand, PluginCredentials
from cloud_native_mcp.backends.kubernetes.kubeconfig_oidc import oidc_credentials
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.kubeconfig_cluster import Cluster
    from cloud_native_mcp.contract.http import Credentials, HttpPool


class _Variable(msgspec.Struct):
    name: str
    value: str = ""


class Plugin(msgspec.Struct, rename="camel"):
    """A credential plugin."""

    command: str
    api_version: str = ""
    args: list[str] | None = None
    env: list[_Variable] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class AuthProvider(msgspec.Struct):
    """A way to authenticate that was once built into clients; of these ``oidc`` is left."""

    name: str = ""
    config: dict[str, str] | None = None


class User(msgspec.Struct, rename="kebab"):
    """Who to be. A client certificate can stand beside a token."""

    token: str = ""
    token_file: str = msgspec.field(name="tokenFile", default="")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    username: str = ""
    password: str = ""
    exec: Plugin | None = None
    auth_provider: AuthProvider | None = None
    impersonate: str = msgspec.field(name="as", default="")
    impersonate_uid: str = msgspec.field(name="as-uid", default="")
    impersonate_groups: list[str] | None = msgspec.field(name="as-groups", default=None)
    impersonate_extra: dict[str, list[str]] | None = msgspec.field(name="as-user-extra", default=None)


def user_credentials(
    user: User, folder: Path, cluster: Cluster, cluster_folder: Path, http: HttpPool | None = None
) -> Credentials | None:
    """What authenticates requests beside a client certificate: a token file before a token, as kubectl has it.

    Args:
        http: the way to an OpenID Connect issuer; without it there is none.

    Raises:
        ConfigError: a way to authenticate that API servers no longer take, or an incomplete plugin.
    """
    if user.username or user.password:
        raise _wrong(
            "username and password are no longer taken by API servers; use a token, certificate or exec plugin"
        )
    if user.auth_provider is not None and (user.auth_provider.name != "oidc" or http is None):
        raise _wrong(f"auth-provider {user.auth_provider.name!r} is not supported; use oidc or an exec plugin")
    if user.token_file:
        return TokenFile(folder / user.token_file)
    if user.token:
        return StaticToken(user.token)
    if user.auth_provider is not None and http is not None:
        return oidc_credentials(user.auth_provider.config or {}, folder, http)
    if user.exec is not None:
        return PluginCredentials(_command(user.exec, folder, cluster, cluster_folder))
    return None


def user_headers(user: User) -> dict[str, str]:
    """Headers that make the API server act as another user.

    Raises:
        ConfigError: parts of impersonation that cannot be carried out: leaving them out would grant other rights.
    """
    groups = user.impersonate_groups or []
    if user.impersonate_extra or len(groups) > 1:
        raise _wrong("as-user-extra and more than one of as-groups are not supported")
    if not user.impersonate:
        if groups or user.impersonate_uid:
            raise _wrong("as-groups and as-uid need as")
        return {}
    headers = {"Impersonate-User": user.impersonate}
    if groups:
        headers["Impersonate-Group"] = groups[0]
    if user.impersonate_uid:
        headers["Impersonate-Uid"] = user.impersonate_uid
    return headers


def _command(plugin: Plugin, folder: Path, cluster: Cluster, cluster_folder: Path) -> PluginCommand:
    if plugin.api_version not in API_VERSIONS:
        raise _wrong(f"exec needs the apiVersion {' or '.join(API_VERSIONS)}")
    if plugin.interactive_mode == "Always":
        raise _wrong("exec with interactiveMode Always cannot run in a server")
    # A command with a slash is a path relative to its kubeconfig; a bare name is looked up in PATH.
    command = str(folder / plugin.command) if "/" in plugin.command else plugin.command
    return PluginCommand(
        api_version=plugin.api_version,
        command=command,
        args=tuple(plugin.args or ()),
        env={variable.name: variable.value for variable in plugin.env or ()},
        install_hint=plugin.install_hint,
        cluster=_cluster_info(cluster, cluster_folder) if plugin.provide_cluster_info else None,
    )


def _cluster_info(cluster: Cluster, folder: Path) -> dict[str, object]:
    """The cluster as plugins are told of it."""
    info: dict[str, object] = {"server": cluster.server}
    if cluster.tls_server_name:
        info["tls-server-name"] = cluster.tls_server_name
    if cluster.insecure_skip_tls_verify:
        info["insecure-skip-tls-verify"] = True
    if cluster.certificate_authority_data:
        info["certificate-authority-data"] = cluster.certificate_authority_data
    elif cluster.certificate_authority:
        info["certificate-authority"] = str(folder / cluster.certificate_authority)
    if cluster.proxy_url:
        info["proxy-url"] = cluster.proxy_url
    return info


def _wrong(text: str) -> ConfigError:
    return ConfigError([Problem("kubeconfig", text)])
