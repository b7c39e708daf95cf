"""Settings of a connection to a backend: where it is, how the server proves itself, TLS."""

from __future__ import annotations

import base64
import ipaddress
from pathlib import Path  # noqa: TC003 - read by pydantic
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from cloud_native_mcp.contract.configuration import SecretReference, Section
from cloud_native_mcp.contract.http import TlsOptions

if TYPE_CHECKING:
    from cloud_native_mcp.contract.service import SecretReader


def is_loopback(host: str) -> bool:
    """Whether only this machine answers to a host name or address; IPv6 with or without brackets."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _plain_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; use `auth`")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or fragment")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_plain_address)]


class Authentication(Section):
    """How the server proves itself to a backend: a bearer token, or a user with a password."""

    token: SecretReference | None = Field(
        default=None, description="Bearer token: `env:NAME`, `file:/path` or a value."
    )
    username: str = Field(default="", description="User of Basic authentication.")
    password: SecretReference | None = Field(default=None, description="Password of that user.")

    @model_validator(mode="after")
    def _one_kind(self) -> Authentication:
        if self.token is not None and (self.username or self.password is not None):
            raise ValueError("token excludes username and password")
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password belong together")
        return self

    def header(self, secrets: SecretReader) -> str | None:
        """Value of the ``Authorization`` header now; None without credentials.

        Raises:
            ConfigError: a secret is missing.
        """
        if self.token is not None:
            return f"Bearer {secrets.read(self.token)}"
        if self.password is not None:
            pair = f"{self.username}:{secrets.read(self.password)}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return None


class Tls(Section):
    """TLS towards a backend. Files are read again when they change."""

    ca_file: Path | None = Field(default=None, description="CA certificates to trust in place of the system's.")
    cert_file: Path | None = Field(default=None, description="Client certificate.")
    key_file: Path | None = Field(default=None, description="Key of the client certificate.")
    server_name: str | None = Field(default=None, description="Name to check in place of the address's host.")
    verify: bool = Field(default=True, description="Check the server's certificate.")

    @model_validator(mode="after")
    def _pair(self) -> Tls:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        return self

    @property
    def options(self) -> TlsOptions:
        """As a target takes them."""
        return TlsOptions(
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
            server_name=self.server_name,
            verify=self.verify,
        )
