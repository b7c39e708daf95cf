"""Who is behind trusted proxies: the hops that a request came over, the last of them first.

https://www.rfc-editor.org/rfc/rfc7239 (``Forwarded``); ``X-Forwarded-For`` has no standard, its forms are those that
proxies write: addresses, with or without a port, IPv6 with or without brackets.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_native_mcp.transport.config import ForwardingHeader
    from cloud_native_mcp.transport.headers import RawHeaders

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_ELEMENTS: Final = re.compile(rf"(?:{_QUOTED}|[^,\"])+")
_PAIRS: Final = re.compile(rf"\s*([A-Za-z]+)=({_QUOTED}|[^;\s\"]*)\s*(?:;|$)")
_WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies that are believed.

    Args:
        networks: addresses or networks.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trust(self, address: Address | None) -> bool:
        """Whether that is one of them."""
        return address is not None and any(address in network for network in self._networks)

    def client_of(self, hops: Sequence[str]) -> Address | None:
        """The last hop that is none of them; None when there is none, or when it is no address.

        What stands before that hop was written by whoever it is, and counts for nothing.
        """
        for hop in reversed(hops):
            address = address_of(hop)
            if not self.trust(address):
                return address
        return None


def address_of(text: str) -> Address | None:
    """The address in a hop or of a peer; None for what is none. One that stands for an IPv4 address is that address."""
    found = _WITH_PORT.fullmatch(text)
    plain = (found[1] or found[2]) if found else text
    try:
        address = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def hops_of(headers: RawHeaders, header: ForwardingHeader) -> list[str]:
    """The hops as the proxies wrote them, the nearest last."""
    text = _joined(headers, header)
    if header == "x-forwarded-for":
        return [hop.strip() for hop in text.split(",")] if text else []
    return [pairs.get("for", "") for pairs in _elements(text)]


def host_of(headers: RawHeaders, header: ForwardingHeader) -> str | None:
    """The host that the nearest proxy was asked for; None when it does not say."""
    if header == "x-forwarded-for":
        text = _joined(headers, "x-forwarded-host")
        return text.rpartition(",")[2].strip() if text else None
    elements = list(_elements(_joined(headers, header)))
    return elements[-1].get("host") if elements else None


def _joined(headers: RawHeaders, name: str) -> str:
    return ",".join(value.decode("latin-1") for key, value in headers if key == name.encode())


def _elements(text: str) -> Iterator[dict[str, str]]:
    """The parameters of each element of ``Forwarded``; none of an element that is malformed, or says one twice."""
    for element in _ELEMENTS.findall(text):
        pairs: dict[str, str] = {}
        end = 0
        while (pair := _PAIRS.match(element, end)) is not None and pair[1].lower() not in pairs:
            pairs[pair[1].lower()] = _unquoted(pair[2])
            end = pair.end()
        yield pairs if end == len(element) else {}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
