"""Reading of a target's base URL: where it is, and how it is named in error texts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from yarl import URL

from cloud_native_mcp.contract.connection import is_loopback
from cloud_native_mcp.errors import ConfigError, Problem

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a target is. ``prefix`` is the path of the base URL, percent-encoded, without a slash at its end."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def shown(self) -> str:
        """Host and port, as error texts name them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine, so that compressing costs more than it saves."""
        return is_loopback(self.host)

    def url(self, path: str, query: str) -> URL:
        """The address of one request; ``path`` and ``query`` are percent-encoded already and stay as they are.

        Raises:
            ValueError: a path that would end early or split the request: a mistake of the caller.
        """
        if not path.isascii() or any(sign in path for sign in " \t\r\n?#"):
            raise ValueError(f"not a percent-encoded path: {path[:80]!a}")
        joined = f"{self.scheme}://{self.shown}{self.prefix}{path if path.startswith('/') else '/' + path}"
        return URL(f"{joined}?{query}" if query else joined, encoded=True)


def parse_base_url(base_url: str, *, setting: str) -> Address:
    """The address a target is configured with.

    Args:
        setting: dotted path of the setting, for the error.

    Raises:
        ConfigError: not http or https, no host, user info, a query or a fragment. The value itself is not repeated: it
            may hold a password.
    """
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise _wrong(setting, "is not a valid URL") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise _wrong(setting, "must be an http:// or https:// URL with a host")
    if parts.username is not None or parts.password is not None:
        raise _wrong(setting, "must not hold a user or password: use the target's own credential settings")
    if parts.query or parts.fragment:
        raise _wrong(setting, "must not hold a query or a fragment")
    prefix = URL(parts.path).raw_path.rstrip("/") if parts.path else ""
    return Address(parts.scheme, parts.hostname, port or _DEFAULT_PORTS[parts.scheme], prefix)


def _wrong(setting: str, text: str) -> ConfigError:
    return ConfigError([Problem(setting, text)])
