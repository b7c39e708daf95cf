"""A door to a cluster for the Helm program, inside a fence or as the caller: its requests take the server's last hop.

Charts read what they like (`lookup`), and hooks and waits need what no manifest tells, so judging objects beforehand is
not enough. The door is on loopback and opens for the token of one run; what the fence keeps back is answered 403 in the
words of an API server: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
from cloud_native_mcp.backends.kubernetes.credentials import StaticToken
from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.contract.rights import current_rights, limited_to
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.rights import CallRights

_LOOPBACK: Final = "127.0.0.1"
_LONGEST_S: Final = 1_800.0
"""Of one request; watches are ended by the API server before."""
_MOST_SENT: Final = 20_000_000
_MOST_READ: Final = 256_000_000
_ASKED: Final = ("Accept", "Content-Type", "If-None-Match")
_TOLD: Final = ("content-type", "etag", "warning", "retry-after", "location")


@contextlib.asynccontextmanager
async def door(client: KubernetesClient) -> AsyncGenerator[ClusterAccess]:
    """How a program reaches the cluster: as this server does, or by a door of its own inside a fence or as a user."""
    if client.fence.open and client.identity is None:
        yield client.access
        return
    token, rights = secrets.token_urlsafe(32), current_rights()
    app = web.Application(client_max_size=_MOST_SENT)
    app.router.add_route("*", "/{path:.*}", _handler(client, token, rights))
    runner = web.AppRunner(app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        context, certificate = _identity()
        await web.TCPSite(runner, _LOOPBACK, 0, ssl_context=context).start()
        yield ClusterAccess(
            f"https://{_LOOPBACK}:{int(runner.addresses[0][1])}",
            client.namespace,
            tls=TlsOptions(ca_data=certificate),
            credentials=StaticToken(token),
        )
    finally:
        await runner.cleanup()


def _identity() -> tuple[ssl.SSLContext, bytes]:
    """A key of the door's own, and its certificate as PEM: without TLS clients of Kubernetes send no token."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _LOOPBACK)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(_LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as both:  # mode 0600, and gone at once
        both.write(private + pem)
        both.flush()
        context.load_cert_chain(both.name)
    return context, pem


def _handler(
    client: KubernetesClient, token: str, rights: CallRights | None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return _status(401, "Unauthorized", "this door is for another program")
        try:
            with limited_to(rights):  # the task of a connection is not that of the call
                return await _passed(client, request)
        except BackendError as error:
            if error.code == DENIED:
                return _status(403, "Forbidden", error.text)
            return _status(502, "ServiceUnavailable", error.text)

    return handle


async def _passed(client: KubernetesClient, request: web.Request) -> web.StreamResponse:
    """The cluster's answer, part by part as it comes."""
    body = await request.read()
    async with client.http.stream(
        request.method,
        request.rel_url.raw_path,
        deadline=Deadline.after(_LONGEST_S),
        params=parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True),
        headers={name: request.headers[name] for name in _ASKED if name in request.headers},
        body=body or None,
        max_bytes=_MOST_READ,
    ) as stream:
        told = {name: stream.headers[name] for name in _TOLD if name in stream.headers}
        response = web.StreamResponse(status=stream.status, headers=told)
        await response.prepare(request)
        try:
            async for part in stream.parts():
                await response.write(part)
        except BackendError:
            if request.transport is not None:
                request.transport.close()  # what came is not all, and cannot look as if it were
        else:
            await response.write_eof()
        return response


def _status(code: int, reason: str, message: str) -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return web.json_response(status | {"code": code}, status=code)
