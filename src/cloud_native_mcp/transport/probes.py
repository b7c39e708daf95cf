"""Probes for schedulers and people: ``/livez``, ``/readyz``, ``/health`` and ``/metrics``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson

from cloud_native_mcp.transport.reply import reply, reply_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.transport.drain import Drain


@dataclass(frozen=True, slots=True)
class Probes:
    """What the probes ask.

    ``ready``: whether calls can be served. ``summary``: fit for everybody, no names of targets. ``detail``: for
    authenticated callers. ``metrics``: body and content type of the Prometheus page.
    """

    ready: Callable[[], bool]
    summary: Callable[[], Mapping[str, object]]
    detail: Callable[[], Awaitable[Mapping[str, object]]]
    metrics: Callable[[], tuple[bytes, str]] | None = None


class OpenProbes:
    """ASGI: answers liveness, readiness and the health summary without authentication."""

    def __init__(self, app: ASGIApp, probes: Probes, drain: Drain) -> None:
        self._app = app
        self._probes = probes
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else ""
        if path == "/livez":
            return await reply_text(send, 200, "ok")
        if path == "/readyz":
            ready = self._probes.ready() and not self._drain.draining
            return await reply_text(send, 200 if ready else 503, "ok" if ready else "not ready")
        if path == "/health" and not _wants_detail(scope):
            return await reply(send, 200, orjson.dumps(self._summary()))
        return await self._app(scope, receive, send)

    def _summary(self) -> Mapping[str, object]:
        return {**self._probes.summary(), **({"status": "draining"} if self._drain.draining else {})}


def _wants_detail(scope: Scope) -> bool:
    query: bytes = scope.get("query_string", b"")
    return "detail" in parse_qs(query.decode("latin-1"), keep_blank_values=True)


class HealthDetail:
    """ASGI: the whole health report, to callers whom a middleware in front has put in the scope."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        del receive
        if scope["method"] != "GET":
            return await reply_text(send, 405, "use GET", headers=[(b"allow", b"GET")])
        if "principal" not in scope.get("state", {}):
            return await reply_text(send, 401, "the detail is for authenticated callers")
        return await reply(send, 200, orjson.dumps(await self._probes.detail()))


class MetricsPage:
    """ASGI: the Prometheus page."""

    def __init__(self, render: Callable[[], tuple[bytes, str]]) -> None:
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        del receive
        if scope["method"] != "GET":
            return await reply_text(send, 405, "use GET", headers=[(b"allow", b"GET")])
        body, content_type = self._render()
        return await reply(send, 200, body, content_type=content_type.encode())
