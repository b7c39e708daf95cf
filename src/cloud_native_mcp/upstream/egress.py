"""The guard between callers and the network: which addresses a caller may have fetched.

Every step refuses on its own: the text of the address, its name, and each address the name resolves to. What is let
through is a list of checked IP addresses; the connection is made to one of those, so a later answer of the name's DNS
server changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.upstream.address_rules import Address, Network, denied_name, forms, is_metadata, not_public
from cloud_native_mcp.upstream.web_address import WebAddress, denied

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""All addresses of a name; raises `OSError` when it has none."""

RESOLVE_SECONDS: Final = 5.0
_KEEP_SECONDS: Final = 60.0
_MOST_ADDRESSES: Final = 64


@dataclass(frozen=True, slots=True)
class EgressRules:
    """What an operator allows and forbids.

    Attributes:
        ports: ports that may be connected to.
        domains: when not empty, only these names and the names below them.
        allowed_networks: networks that are let through although they are not public.
        denied_networks: further networks that are refused, such as a cluster's service and pod ranges.
        trusted: hosts with their ports that the operator named: they are reached wherever they are.
    """

    ports: frozenset[int] = frozenset({80, 443})
    domains: tuple[str, ...] = ()
    allowed_networks: tuple[Network, ...] = ()
    denied_networks: tuple[Network, ...] = ()
    trusted: frozenset[tuple[str, int]] = frozenset()


class EgressGuard:
    """Decides about addresses by `EgressRules` and by what this server itself occupies.

    Args:
        resolve: the system's resolver by default.
        occupied: ``host:port`` of this server and of its backends, asked at each decision.
        is_local: whether an address belongs to this machine.
    """

    def __init__(
        self,
        rules: EgressRules,
        *,
        resolve: Resolve | None = None,
        occupied: Callable[[], Sequence[str]] = tuple,
        is_local: Callable[[Address], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._resolve = resolve or resolve_by_system
        self._occupied = occupied
        self._is_local = is_local or belongs_to_this_machine
        self._clock = clock
        self._known: dict[str, tuple[float, frozenset[Address]]] = {}

    async def admit(self, address: WebAddress, *, field: str) -> tuple[str, ...]:
        """The IP addresses a connection for this address may be made to; every one is checked.

        Args:
            address: where to.
            field: name for the error.

        Raises:
            ToolError: ``address_denied``, with the rule.
            BackendError: ``unreachable`` when the name does not resolve.
        """
        found = await self._found(address, field)
        if (address.host, address.port) in self._rules.trusted:
            return tuple(map(str, found))
        reserved = await self._reserved(address.port)
        for candidate in found:
            reason = self._reason(candidate, address.port, reserved)
            if reason is not None:
                resolved = "" if address.literal is not None else "it resolves to a "
                raise denied(f"{resolved}{reason}", field=field, host=address.host)
        return tuple(map(str, found))

    async def _found(self, address: WebAddress, field: str) -> list[Address]:
        """Every address of a host whose text is admitted, those of version 4 first."""
        if (address.host, address.port) not in self._rules.trusted:
            self._check_text(address, field)
        found = [address.literal] if address.literal is not None else await self._addresses(address.host)
        return sorted(found, key=lambda each: each.version)

    def _check_text(self, address: WebAddress, field: str) -> None:
        if address.port not in self._rules.ports:
            ports = ", ".join(str(port) for port in sorted(self._rules.ports))
            raise denied(f"port {address.port} is not one of {ports}", field=field, host=address.host)
        domains = self._rules.domains
        if domains and not any(address.host == name or address.host.endswith(f".{name}") for name in domains):
            raise denied("not in the operator's list of allowed domains", field=field, host=address.host)
        if address.literal is None and (reason := denied_name(address.host)) is not None:
            raise denied(reason, field=field, host=address.host)
        if any(_parted(entry) == (address.host, address.port) for entry in self._occupied()):
            raise denied("this server's own address, or that of one of its backends", field=field, host=address.host)

    async def _addresses(self, host: str) -> list[Address]:
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                texts = await self._resolve(host)
        except TimeoutError:
            raise BackendError("unreachable", f"the name {host} did not resolve in {RESOLVE_SECONDS:g} s") from None
        except OSError:
            raise BackendError("unreachable", f"the name {host} does not resolve") from None
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
        if not found or len(found) > _MOST_ADDRESSES:
            raise BackendError("unreachable", f"the name {host} resolves to {len(found)} addresses")
        return list(dict.fromkeys(found))

    def _reason(self, candidate: Address, port: int, reserved: frozenset[Address]) -> str | None:
        shapes = forms(candidate)
        if is_metadata(candidate):
            return "cloud metadata address"
        if any(shape in reserved or _is_unspecified_in(reserved, shape, self._is_local) for shape in shapes):
            return f"address and port ({port}) of this server or one of its backends"
        if _within(shapes, self._rules.denied_networks):
            return "network the operator denies"
        if _within(shapes, self._rules.allowed_networks):
            return None
        reason = not_public(candidate)
        if reason is None and any(self._is_local(shape) for shape in shapes):
            return "address of this machine"
        return reason

    async def _reserved(self, port: int) -> frozenset[Address]:
        """Addresses that this server and its backends occupy at a port."""
        hosts = {host for host, occupied in map(_parted, self._occupied()) if occupied == port}
        found = await asyncio.gather(*(self._known_addresses(host) for host in sorted(hosts)))
        return frozenset[Address]().union(*found)

    async def _known_addresses(self, host: str) -> frozenset[Address]:
        """Addresses of an own host, kept for a minute; one that does not resolve is kept out by its name alone."""
        literal = _try_address(host)
        if literal is not None:
            return frozenset({literal})
        kept = self._known.get(host)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        try:
            addresses = frozenset(await self._addresses(host))
        except ToolError:
            addresses = frozenset[Address]()
        self._known[host] = (self._clock() + _KEEP_SECONDS, addresses)
        return addresses


async def resolve_by_system(host: str) -> Sequence[str]:
    """All addresses of an absolute name, by the system's resolver; search domains are not tried."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(f"{host}.", None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def belongs_to_this_machine(address: Address) -> bool:
    """Whether an interface of this machine has the address: only then a socket can be bound to it. Sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _parted(entry: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``; port 0 when there is none."""
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdigit():
        host, port = entry, "0"
    return host.strip("[]").lower().removesuffix("."), int(port)


def _within(shapes: Sequence[Address], networks: Sequence[Network]) -> bool:
    return any(shape.version == network.version and shape in network for shape in shapes for network in networks)


def _is_unspecified_in(reserved: frozenset[Address], shape: Address, is_local: Callable[[Address], bool]) -> bool:
    """Whether the server listens on every address of this machine and this is one of them."""
    return any(own.is_unspecified for own in reserved) and is_local(shape)


def _try_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
