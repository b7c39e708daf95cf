"""Which addresses are not public, and why. Pure: nothing is resolved or contacted.

Sources: the IANA special-purpose address registries for IPv4 and IPv6, and the metadata addresses that cloud providers
document (AWS, Azure, Google Cloud, Oracle, Alibaba, OpenStack).
"""

from __future__ import annotations

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fe80::a9fe:a9fe",
    )
)
_METADATA_NAMES: Final = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "metadata.azure.com",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
        "instance-data",
        "instance-data.ec2.internal",
        "rancher-metadata",
    }
)
_RANGES: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "unspecified address"),
    ("10.0.0.0/8", "private address"),
    ("100.64.0.0/10", "carrier-grade NAT address"),
    ("127.0.0.0/8", "loopback address"),
    ("169.254.0.0/16", "link-local address"),
    ("172.16.0.0/12", "private address"),
    ("192.0.0.0/24", "reserved address"),
    ("192.0.2.0/24", "documentation address"),
    ("192.88.99.0/24", "IPv6 relay address"),
    ("192.168.0.0/16", "private address"),
    ("198.18.0.0/15", "benchmark address"),
    ("198.51.100.0/24", "documentation address"),
    ("203.0.113.0/24", "documentation address"),
    ("224.0.0.0/4", "multicast address"),
    ("240.0.0.0/4", "reserved address"),
    ("::/128", "unspecified address"),
    ("::1/128", "loopback address"),
    ("::/96", "IPv4-compatible address"),
    ("64:ff9b:1::/48", "local translation address"),
    ("100::/64", "discard address"),
    ("2001::/32", "Teredo address"),
    ("2001:2::/48", "benchmark address"),
    ("2001:db8::/32", "documentation address"),
    ("2001::/23", "reserved address"),
    ("2002::/16", "6to4 address"),
    ("3fff::/20", "documentation address"),
    ("5f00::/16", "segment routing address"),
    ("fc00::/7", "unique-local address"),
    ("fe80::/10", "link-local address"),
    ("fec0::/10", "site-local address"),
    ("ff00::/8", "multicast address"),
)
_DENIED: Final = tuple((ipaddress.ip_network(text), reason) for text, reason in _RANGES)
_GLOBAL_IPV6: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""Upper half of the interface identifier that marks an embedded IPv4 address (RFC 5214)."""

_LOCAL_NAMES: Final = ("localhost", "localdomain")
_CLUSTER_SUFFIXES: Final = ("svc", "cluster.local")


def forms(address: Address) -> tuple[Address, ...]:
    """The address and, for mapped and translated IPv6 forms, the IPv4 address it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address, address.ipv4_mapped)
    if address in _NAT64:
        return (address, ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return (address,)


def is_metadata(address: Address) -> bool:
    """Whether a cloud serves its metadata, often with credentials, at this address."""
    return any(form in _METADATA for form in forms(address))


def not_public(address: Address) -> str | None:
    """Why the address is not a public one, as ``loopback address``; None for a public address."""
    shown = forms(address)
    if len(shown) > 1:
        inner = not_public(shown[1])
        return f"{inner} in an IPv6 form" if inner else None
    for network, reason in _DENIED:
        if address.version == network.version and address in network:
            return reason
    if isinstance(address, ipaddress.IPv6Address):
        if address not in _GLOBAL_IPV6:
            return "reserved address"
        if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
            return "IPv4 address in an ISATAP form"
    return None


def denied_name(host: str) -> str | None:
    """Why a name is refused before it is resolved; None for any other name.

    Args:
        host: normalised: lower case, no dot at the end.
    """
    if host in _METADATA_NAMES:
        return "name of a cloud metadata service"
    labels = host.split(".")
    if labels[-1] in _LOCAL_NAMES:
        return "name of this machine"
    if any(host == suffix or host.endswith(f".{suffix}") for suffix in _CLUSTER_SUFFIXES):
        return "name inside a cluster"
    return None
