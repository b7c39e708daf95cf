"""Header fields by which proxies tell who asks: what a client writes there itself is no word of a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cloud_native_mcp.transport.headers import RawHeaders

_BEGIN: Final = (
    b"impersonate-",
    b"x-remote-",
    b"remote-",
    b"x-forwarded-",
    b"x-auth-request-",
    b"x-authenticated-",
    b"x-webauth-",
    b"x-scope-",
    b"x-grafana-",
    b"x-goog-authenticated-",
    b"x-goog-iap-",
    b"x-amzn-oidc-",
    b"x-ms-client-principal",
    b"x-ms-token-",
    b"cf-access-",
    b"cf-connecting-",
    b"tailscale-",
    b"x-pomerium-",
    b"x-original-",
)
_ARE: Final = frozenset(
    {
        b"forwarded",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"true-client-ip",
        b"x-user",
        b"x-username",
        b"x-email",
        b"x-groups",
        b"x-tenant",
        b"x-tenant-id",
    }
)


def tells_identity(name: bytes) -> bool:
    """Whether a field of that (lower-case) name says who asks, or for whom."""
    return name in _ARE or name.startswith(_BEGIN)


def without_identity(headers: RawHeaders) -> RawHeaders:
    """The fields that say nothing of the kind; the same list when all are such."""
    if not any(tells_identity(name) for name, _ in headers):
        return headers
    return [(name, value) for name, value in headers if not tells_identity(name)]
