"""Reading of an address a caller gave: one strict form, so that what is checked is what is connected to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import idna
from yarl import URL

from cloud_native_mcp.errors import InvalidArgument, ToolError

if TYPE_CHECKING:
    from cloud_native_mcp.upstream.address_rules import Address

LONGEST: Final = 4_000
"""Most characters of an address."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_SHAPE = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<slashes>//)?(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?"
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An http or https address, normalised.

    Attributes:
        host: a name in lower case (punycode, no dot at the end), or the text of ``literal``.
        literal: the address, when the host is one.
        rest: path and query as given; starts with a slash.
    """

    scheme: str
    host: str
    literal: Address | None
    port: int
    rest: str

    @property
    def host_header(self) -> str:
        """Value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials belong to."""
        return self.scheme, self.host, self.port

    @property
    def shown(self) -> str:
        """The whole address, as answers name it."""
        return f"{self.scheme}://{self.host_header}{self.rest}"

    def pinned(self, address: str) -> URL:
        """The URL that names the IP address to connect to in place of the host."""
        host = f"[{address}]" if ":" in address else address
        return URL(f"{self.scheme}://{host}:{self.port}{self.rest}")


def denied(rule: str, *, field: str, host: str = "") -> ToolError:
    """The error for an address that a rule refuses; it names the rule."""
    about = f"{_short(host)} is refused: " if host else ""
    return ToolError("address_denied", f"{field}: {about}{rule}", kind="final")


def parse_web_address(text: str, *, field: str) -> WebAddress:
    """The normalised form of an address.

    Args:
        text: what a caller or a redirect gave.
        field: name for the error.

    Raises:
        InvalidArgument: not an address at all.
        ToolError: ``address_denied`` for another scheme or user info.
    """
    if len(text) > LONGEST:
        raise InvalidArgument(field, f"has {len(text)} characters; at most {LONGEST}")
    given = text.strip(" ")
    if _FORBIDDEN.search(given):
        raise InvalidArgument(field, "holds a space, a backslash or an invisible character; percent-encode it")
    match = _SHAPE.fullmatch(given)
    if match is None or (match["slashes"] is None and "." in match["scheme"]):
        raise InvalidArgument(field, f"{_short(given)} is not an address; give https://host/path")
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise denied(f"the scheme {_short(scheme)} is not http or https", field=field)
    if match["slashes"] is None or not match["authority"]:
        raise InvalidArgument(field, f"{_short(given)} names no host; give {scheme}://host/path")
    if "@" in match["authority"]:
        raise denied("user info (user:password@) is not allowed in an address", field=field)
    host, port = _split(match["authority"], DEFAULT_PORTS[scheme], field)
    literal = _literal(host, field)
    name = str(literal) if literal is not None else _name(host, field)
    rest = match["rest"] or "/"
    return WebAddress(scheme, name, literal, port, rest if rest.startswith("/") else f"/{rest}")


def _split(authority: str, default_port: int, field: str) -> tuple[str, int]:
    if authority.startswith("["):
        inside, closed, after = authority.partition("]")
        host = f"{inside}{closed}"
    else:
        host, colon, port_text = authority.partition(":")
        after = f"{colon}{port_text}"
    if after in {"", ":"}:
        return host, default_port
    if not after.startswith(":") or _PORT.fullmatch(after[1:]) is None or not 0 < int(after[1:]) < 65_536:
        raise InvalidArgument(field, f"{_short(after)} is not a port (1 to 65535)")
    return host, int(after[1:])


def _literal(host: str, field: str) -> Address | None:
    """The address a host spells, in any of the forms that system resolvers accept; None for a name."""
    if host.startswith("["):
        try:
            return ipaddress.IPv6Address(host[1:-1] if host.endswith("]") and "%" not in host else "")
        except ValueError:
            raise InvalidArgument(field, f"{_short(host)} is not an IPv6 address") from None
    folded = _fold(host, field).removesuffix(".")
    last = folded.rpartition(".")[2]
    if _NUMBER.fullmatch(last) is None:
        return None
    address = _numbers(folded.split("."))
    if address is None:
        raise InvalidArgument(field, f"{_short(host)} ends in a number but is not an IPv4 address")
    return address


def _numbers(parts: list[str]) -> ipaddress.IPv4Address | None:
    """``127.1``, ``0x7f.0.0.1``, ``0177.0.0.1`` and ``2130706433`` as the address they mean (WHATWG host parser)."""
    if len(parts) > 4 or any(_NUMBER.fullmatch(part) is None for part in parts):
        return None
    try:
        values = [_value(part) for part in parts]
    except ValueError:
        return None
    *front, last = values
    if any(value > 255 for value in front) or last >= 256 ** (5 - len(values)):
        return None
    return ipaddress.IPv4Address(sum(value << (8 * (3 - at)) for at, value in enumerate(front)) + last)


def _value(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)


def _fold(host: str, field: str) -> str:
    """Full-width digits, other dots and capital letters as plain ones."""
    if host.isascii():
        return host.lower()
    try:
        return idna.uts46_remap(host, std3_rules=False, transitional=False)
    except idna.IDNAError:
        raise InvalidArgument(field, f"{_short(host)} is not a host name") from None


def _name(host: str, field: str) -> str:
    folded = _fold(host, field).removesuffix(".")
    try:
        name = folded if folded.isascii() else idna.encode(folded).decode("ascii")
        for label in name.split("."):
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        raise InvalidArgument(field, f"{_short(host)} is not a host name") from None
    if len(name) > 253 or any(_LABEL.fullmatch(label) is None for label in name.split(".")):
        raise InvalidArgument(field, f"{_short(host)} is not a host name")
    return name


def _short(text: str) -> str:
    return ascii(text if len(text) <= 80 else f"{text[:80]}…")
