"""One place charts come from: a repository with an index, or a path of a registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from cloud_native_mcp.contract.connection import Authentication
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.upstream.web_address import DEFAULT_PORTS, parse_web_address

OCI: Final = "oci://"


@dataclass(frozen=True, slots=True)
class Repository:
    """Where it is and how it is reached.

    Attributes:
        name: what tools call it; empty for an address of a caller.
        url: without a slash at its end.
        trusted: the operator named it: its host is reached wherever it is.
        added: it was added by `helm_repo`.
    """

    name: str
    url: str
    auth: Authentication = field(default_factory=Authentication)
    tls: TlsOptions = field(default_factory=TlsOptions)
    proxy: str | None = None
    plain_http: bool = False
    trusted: bool = False
    added: bool = False

    @property
    def label(self) -> str:
        """Its name, or its address."""
        return self.name or self.url

    @property
    def is_registry(self) -> bool:
        """Whether it speaks the API of OCI registries."""
        return self.url.startswith(OCI)

    @property
    def host(self) -> tuple[str, int]:
        """Host and port, as connections are made to them."""
        address = parse_web_address(self.web_url, field="repo")
        return address.host, address.port

    @property
    def web_url(self) -> str:
        """The address as HTTP requests are sent to it; of a registry, its root."""
        if not self.is_registry:
            return self.url
        scheme = "http" if self.plain_http else "https"
        return f"{scheme}://{urlsplit(self.url).netloc}"

    @property
    def path(self) -> str:
        """Of a registry: the path below which its charts are, without slashes around it."""
        return urlsplit(self.url).path.strip("/")

    def covers(self, url: str) -> bool:
        """Whether an address lies below its own."""
        return url.startswith(f"{self.url}/")


def at_address(url: str, *, field: str) -> Repository:
    """The repository at an address that a caller gave.

    Raises:
        InvalidArgument: no address of a repository.
        ToolError: ``address_denied`` for user info.
    """
    given = url.strip().rstrip("/")
    if {".", ".."} & set(unquote(given).split("/")):
        raise InvalidArgument(field, "must not hold the parts '.' and '..'")
    if given.startswith(OCI):
        parse_web_address(f"https://{given.removeprefix(OCI)}", field=field)
        return Repository("", given)
    if not given.startswith(("https://", "http://")):
        raise InvalidArgument(field, f"{given[:80]!a} is no https://, http:// or oci:// address")
    parse_web_address(given, field=field)
    return Repository("", given)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; port 0 of one that has none that could be."""
    parts = urlsplit(url)
    try:
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    return parts.scheme, (parts.hostname or "").lower(), port
