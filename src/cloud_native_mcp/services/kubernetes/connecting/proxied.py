"""One HTTP request to an application, through the API server.

API: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/; the API server takes its own
credentials off the request before it goes on.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from cloud_native_mcp.backends.kubernetes.status import Status, raise_for_status, shown_message
from cloud_native_mcp.contract.http import HttpResponse
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.connecting.ports import NO_ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

SECONDS: Final = 15.0
READS: Final = frozenset({"GET", "HEAD"})
"""Methods that are taken for harmless."""
_ANSWER_S: Final = 1.0
"""Of the call's time, kept for answering."""
_LEAST_S: Final = 0.5
MOST_READ: Final = 1_000_000
"""Bytes of a body that are read; the rest is left on the line."""
MOST_SENT: Final = 100_000
LONGEST_PATH: Final = 4_000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_KEPT_SIGNS: Final = "/%:@!$&'()*+,;=~-._"
_NO_ENDPOINTS: Final = re.compile(r"no endpoints available for service", re.IGNORECASE)
_NOT_REACHED: Final = re.compile(r"error trying to reach service", re.IGNORECASE)
_OWN_KINDS: Final = frozenset({"services", "pods"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What the application answered.

    Attributes:
        cut: whether its body is longer than what was read.
        seconds: from sending the request to the end of reading.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request. ``path`` is percent-encoded."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    body: bytes | None

    @property
    def headers(self) -> dict[str, str]:
        """What goes along; callers set none."""
        if self.body is None:
            return {"Accept": "*/*"}
        return {"Accept": "*/*", "Content-Type": "application/json" if _is_json(self.body) else "text/plain"}


def check_request(method: str, path: str, body: str | None) -> Request:
    """The request that may be sent.

    Raises:
        InvalidArgument: a path that could leave the application's, or a body that is too long or has no place.
    """
    if not path.startswith("/") or len(path) > LONGEST_PATH:
        raise InvalidArgument("path", f"must start with / and have at most {LONGEST_PATH} characters")
    if _CONTROL.search(path) or "\\" in path or "#" in path:
        raise InvalidArgument("path", "holds a control character, a backslash or a '#'; percent-encode it")
    plain, _, query = path.partition("?")
    decoded = unquote(unquote(plain))
    if _CONTROL.search(decoded) or any(part in {".", ".."} for part in re.split(r"[/\\]", decoded)):
        raise InvalidArgument("path", "must not hold the parts '.' and '..': they could lead out of the application")
    if body is not None and method in READS:
        raise InvalidArgument("body", f"does not go with method={method}")
    if body is not None and len(body.encode()) > MOST_SENT:
        raise InvalidArgument("body", f"is larger than {MOST_SENT // 1_000} kB")
    params = tuple(parse_qsl(query, keep_blank_values=True))
    return Request(method, quote(plain, safe=_KEPT_SIGNS), params, None if body is None else body.encode())


async def send(
    client: KubernetesClient, resource: Resource, namespace: str, address: str, request: Request, deadline: Deadline
) -> Reply:
    """Send it once, and read the beginning of what comes.

    Args:
        resource: pods or Services.
        address: ``scheme:name:port``.

    Raises:
        ToolError: ``no_endpoints``.
        BackendError: ``unreachable`` when the API server does not reach the application; its own refusals; ``timeout``.
    """
    path = f"{resource.path(namespace=namespace)}/{address}/proxy{request.path}"
    what = f"{request.method} {resource.plural} {address} in {namespace}"
    seconds = min(SECONDS, max(_LEAST_S, deadline.remaining - _ANSWER_S))
    try:
        reply = await _exchange(client, path, request, deadline.sooner(seconds))
    except BackendError as error:
        if error.code != "unknown_outcome" or request.method not in READS:
            raise
        raise BackendError("timeout", f"{what}: no answer came within {seconds:.0f} s, or it broke off") from error
    _raise_if_of_the_server(client, reply, what)
    return reply


async def _exchange(client: KubernetesClient, path: str, request: Request, deadline: Deadline) -> Reply:
    began = time.monotonic()
    body, cut = bytearray(), False
    async with client.http.stream(
        request.method,
        path,
        deadline=deadline,
        params=request.params,
        headers=request.headers,
        body=request.body,
        read=False,  # what a GET does to an application is not known: nothing is ever sent twice
    ) as stream:
        async for part in stream.parts():
            body += part
            if len(body) > MOST_READ:
                cut = True
                break
        return Reply(stream.status, stream.headers, bytes(body[:MOST_READ]), cut, time.monotonic() - began)


def _raise_if_of_the_server(client: KubernetesClient, reply: Reply, what: str) -> None:
    """Tell the API server's own refusals from an application that answers an error."""
    if reply.status < 400:
        return
    status = _status(reply)
    words = status.message if status is not None else reply.body[:500].decode("utf-8", "replace")
    if reply.status == 503 and _NO_ENDPOINTS.search(words):
        raise ToolError(NO_ENDPOINTS, f"{what}: {shown_message(words)}", kind="final")
    if reply.status in {502, 503} and _NOT_REACHED.search(words):
        raise BackendError("unreachable", f"{what}: {shown_message(words)}", status=reply.status)
    if status is None:
        return
    kind = status.details.kind.partition("/")[0] if status.details else ""
    if kind in _OWN_KINDS or (reply.status == 401 and status.reason == "Unauthorized"):
        raise_for_status(HttpResponse(reply.status, reply.headers, reply.body), what=what, target=client.target)


def _status(reply: Reply) -> Status | None:
    if "json" not in reply.headers.get("content-type", ""):
        return None
    try:
        status = msgspec.json.decode(reply.body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return status if status.kind == "Status" else None


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
