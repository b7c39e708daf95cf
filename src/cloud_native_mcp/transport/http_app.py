"""The whole HTTP side as one ASGI application."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from mcp.server.subscriptions import InMemorySubscriptionBus

from cloud_native_mcp.routing.request import AGGREGATE
from cloud_native_mcp.transport.body import DeclaredLength
from cloud_native_mcp.transport.cors import Cors
from cloud_native_mcp.transport.drain import Drain, DrainGate
from cloud_native_mcp.transport.endpoint import Endpoint, SessionLimits
from cloud_native_mcp.transport.fast.path import FastPath
from cloud_native_mcp.transport.guard import Guard
from cloud_native_mcp.transport.headers import HeaderRules
from cloud_native_mcp.transport.probes import HealthDetail, MetricsPage, OpenProbes
from cloud_native_mcp.transport.reply import reply_text
from cloud_native_mcp.transport.sse import SseDoor
from cloud_native_mcp.transport.streamable import Streamable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mcp.server.subscriptions import SubscriptionBus
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.routing.request import ToolDoor
    from cloud_native_mcp.transport.config import ServerConfig
    from cloud_native_mcp.transport.endpoint import Identity, RawHandlers
    from cloud_native_mcp.transport.probes import Probes


class HttpApp:
    """ASGI application of all endpoints and probes; made by `build_app`."""

    def __init__(self, app: ASGIApp, endpoints: Sequence[Endpoint], streams: Sequence[SseDoor], drain: Drain) -> None:
        self.drain = drain
        self.endpoints = tuple(endpoints)
        self.streams = tuple(streams)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            return await self._lifespan(receive, send)
        return await self._app(scope, receive, send)

    async def announce_tools_changed(self) -> None:
        """Tell the clients of every endpoint that their list of tools may have changed."""
        await asyncio.gather(*(endpoint.announce_tools_changed() for endpoint in self.endpoints))

    def close_listening(self) -> None:
        """End the streams that only wait for changes."""
        for endpoint in self.endpoints:
            endpoint.close_listening()

    async def close_streams(self) -> None:
        """End all SSE streams in order."""
        for stream in self.streams:
            await stream.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            for endpoint in self.endpoints:
                await stack.enter_async_context(endpoint.running())
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class _Router:
    def __init__(self, routes: Mapping[str, ASGIApp]) -> None:
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._routes.get(scope["path"])
        if route is None:
            return await reply_text(send, 404, "nothing here; an unknown or disabled service has no endpoint")
        return await route(scope, receive, send)


def build_app(
    door: ToolDoor,
    config: ServerConfig,
    *,
    identity: Identity,
    probes: Probes,
    wrap: Sequence[Callable[[ASGIApp], ASGIApp]] = (),
    routes: Mapping[str, ASGIApp] | None = None,
    state_keys: Sequence[bytes] | None = None,
    raw: Mapping[str, RawHandlers] | None = None,
    bus: SubscriptionBus | None = None,
    session_retry_ms: int = 1_000,
    dropped: Callable[[], None] | None = None,
) -> HttpApp:
    """The application for the endpoints the door has now.

    Args:
        wrap: middlewares between the guard and the engine, outermost first (authentication, then rate).
        routes: further paths behind those middlewares.
        state_keys: derived from the state key; see `Endpoint`.
        raw: by endpoint name, what it serves besides the tools of the door.
        bus: carries list changes; one for several nodes reaches the clients of all.
        dropped: told of each request whose header fields about an identity were dropped.
    """
    drain = Drain()
    bus = bus or InMemorySubscriptionBus()
    sessions = SessionLimits(most=config.max_sessions, idle_s=config.session_idle_s, retry_ms=session_retry_ms)
    endpoints = [
        Endpoint(
            name,
            door,
            identity=identity,
            legacy=config.legacy,
            state_keys=state_keys,
            raw=(raw or {}).get(name),
            sessions=sessions,
            max_body_bytes=config.max_body_bytes,
            bus=bus,
            drain=drain,
        )
        for name in door.endpoints
    ]
    table: dict[str, ASGIApp] = {**(routes or {}), "/health": HealthDetail(probes)}
    if probes.metrics is not None:
        table["/metrics"] = MetricsPage(probes.metrics)
    streams = [_mount(endpoint, config, table) for endpoint in endpoints]
    app: ASGIApp = _Router(table)
    for middleware in reversed(wrap):
        app = middleware(app)
    app = OpenProbes(app, probes, drain)
    app = DeclaredLength(app, limit=config.max_body_bytes)
    app = Cors(DrainGate(HeaderRules(app), drain))
    return HttpApp(Guard(app, config, dropped=dropped), endpoints, streams, drain)


def endpoint_paths(names: Sequence[str]) -> list[str]:
    """The paths at which clients reach the endpoints of these names."""
    paths = [f"/api/{name}/{way}" for name in names for way in ("streamable-http", "sse", "messages/")]
    return [*paths, "/mcp"]


def _mount(endpoint: Endpoint, config: ServerConfig, table: dict[str, ASGIApp]) -> SseDoor:
    """Put both HTTP transports of an endpoint at their paths; the aggregate is also at ``/mcp``."""
    base = f"/api/{endpoint.name}"
    streamable = Streamable(
        endpoint,
        max_body_bytes=config.max_body_bytes,
        body_timeout_s=config.body_timeout_s,
        fast=FastPath(endpoint) if config.fast_path else None,
    )
    sse = SseDoor(
        endpoint,
        messages_path=f"{base}/messages/",
        max_body_bytes=config.max_body_bytes,
        body_timeout_s=config.body_timeout_s,
    )
    table[f"{base}/streamable-http"] = streamable
    table[f"{base}/sse"] = sse.stream
    table[f"{base}/messages/"] = sse.messages
    if endpoint.name == AGGREGATE:
        table["/mcp"] = streamable
    return sse
