"""What went wrong on the way to a backend, in words that name the host and the cause, never a credential."""

from __future__ import annotations

import asyncio
import enum
import ssl
from typing import TYPE_CHECKING

import aiohttp

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from cloud_native_mcp.contract.http import HttpTarget
    from cloud_native_mcp.upstream.address import Address

CONNECT_SECONDS = 10.0
"""How long making one connection (with TLS) may take."""


class Phase(enum.StrEnum):
    """How far an attempt came."""

    CONNECTING = "connecting"
    WAITING = "waiting for the answer"
    READING = "reading the answer"


class AttemptError(BackendError):
    """One attempt ended without a whole answer.

    Attributes:
        connection: no connection came about, so nothing was sent.
        again: sending a request that changes nothing again may help.
        reason: the cause alone, without the target's name.
    """

    def __init__(self, code: str, label: str, reason: str, *, connection: bool = False, again: bool = False) -> None:
        self.connection = connection
        self.again = again
        self.reason = reason
        super().__init__(code, f"{label}: {reason}")


def label_of(target: HttpTarget) -> str:
    """How error texts name a target."""
    return f"{target.service} target {target.name}"


def explain(
    error: aiohttp.ClientError | TimeoutError | OSError, *, label: str, address: Address, phase: Phase, read: bool
) -> AttemptError:
    """The error of a failed attempt; that of a request which may have taken effect is `unknown_outcome`."""
    failure = _failure(error, label, address, phase)
    if read or failure.connection or phase is Phase.CONNECTING:
        return failure
    return unknown_outcome(label, failure.reason)


def unknown_outcome(label: str, reason: str) -> AttemptError:
    """The error of a request that changes something, was sent, and got no whole answer, whatever ended it."""
    return AttemptError(
        "unknown_outcome",
        label,
        f"the request was sent, but no whole answer came ({reason}); it may have taken effect: "
        "read the state before repeating",
    )


def _failure(error: Exception, label: str, address: Address, phase: Phase) -> AttemptError:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        reason = f"connecting to {address.shown} took longer than {CONNECT_SECONDS:g} s"
        return AttemptError("unreachable", label, reason, connection=True)
    if isinstance(error, asyncio.TimeoutError):
        return AttemptError("timeout", label, f"the deadline passed while {phase.value} ({address.shown})")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _not_connected(error, label)
    if isinstance(error, aiohttp.ClientPayloadError):
        return _cut_body(error, label)
    if isinstance(error, OSError) and "SSL" in str(error):
        reason = f"TLS with {address.shown} failed: {_tls_reason(error)}"
        return AttemptError("unreachable", label, reason, connection=True)
    if isinstance(error, OSError | aiohttp.ClientConnectionError):
        reason = f"{address.shown} closed the connection while {phase.value}"
        return AttemptError("unreachable", label, reason, again=True)
    return _odd_answer(error, label, address)


def _odd_answer(error: Exception, label: str, address: Address) -> AttemptError:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        reason = f"the proxy refused to connect to {address.shown} (status {error.status})"
        return AttemptError("unreachable", label, reason, connection=True)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return AttemptError("unreachable", label, "the configured address or proxy is not a valid http URL")
    return AttemptError("bad_answer", label, f"{address.shown} did not answer with valid HTTP")


def _cut_body(error: aiohttp.ClientPayloadError, label: str) -> AttemptError:
    """A body that ended early: reset by the backend (only the text of the error tells), or shorter than it said."""
    if "ConnectionResetError" in str(error):
        reason = "the connection was reset in the middle of the answer"
        return AttemptError("unreachable", label, reason, again=True)
    return AttemptError("bad_answer", label, "incomplete answer: the body ended before its announced end")


def _not_connected(error: aiohttp.ClientConnectorError, label: str) -> AttemptError:
    cause: OSError = error.os_error
    host = f"{error.host}:{error.port}" if error.port else error.host
    where = f"the proxy {host}" if isinstance(error, aiohttp.ClientProxyConnectionError) else host
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        reason = f"the name {error.host} does not resolve"
    elif isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = f"TLS with {where} failed: {_tls_reason(error.certificate_error)}"
    elif isinstance(error, aiohttp.ClientSSLError):
        reason = f"TLS with {where} failed: {_tls_reason(cause)}"
    elif isinstance(cause, ConnectionRefusedError):
        reason = f"{where} refused the connection"
    else:
        reason = f"cannot connect to {where}: {cause.strerror or type(cause).__name__}"
    refused = isinstance(cause, ConnectionRefusedError | ConnectionResetError)
    return AttemptError("unreachable", label, reason, connection=True, again=refused)


_TLS_WORDS = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "certificate has expired",
        "the server's certificate has expired (or a clock is wrong)",
    ),
    ("CERTIFICATE_VERIFY_FAILED", "not yet valid", "the server's certificate is not yet valid (or a clock is wrong)"),
    ("CERTIFICATE_VERIFY_FAILED", "mismatch", "the server's certificate is for another name"),
    ("CERTIFICATE_VERIFY_FAILED", "not valid for", "the server's certificate is for another name"),
    ("CERTIFICATE_VERIFY_FAILED", "self-signed", "the server's certificate is signed by an unknown CA"),
    ("CERTIFICATE_VERIFY_FAILED", "unable to get", "the server's certificate is signed by an unknown CA"),
    ("CERTIFICATE_VERIFY_FAILED", "", "the server's certificate cannot be verified"),
    ("CERTIFICATE_REQUIRED", "", "the server asks for a client certificate"),
    ("UNKNOWN_CA", "", "the server does not know the CA of the client certificate"),
    ("ALERT_BAD_CERTIFICATE", "", "the server refuses the client certificate"),
    ("CERTIFICATE_EXPIRED", "", "the client certificate has expired"),
    ("CERTIFICATE_UNKNOWN", "", "the server refuses the client certificate"),
    ("PROTOCOL_VERSION", "", "the server offers no TLS version from 1.2 on"),
    ("UNSUPPORTED_PROTOCOL", "", "the server offers no TLS version from 1.2 on"),
    ("WRONG_VERSION_NUMBER", "", "the server does not speak TLS on this port"),
    ("RECORD_LAYER_FAILURE", "", "the server does not speak TLS on this port"),
)


def _tls_reason(error: BaseException) -> str:
    text = str(error).replace(" ", "_").upper()
    plain = str(error)
    for name, words, reason in _TLS_WORDS:
        if name in text and words in plain:
            return reason
    reason = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
    return str(reason or "the handshake broke off").replace("_", " ").lower()
