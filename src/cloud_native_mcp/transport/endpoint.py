"""One MCP endpoint: a set of tools (and what else is served) behind its own protocol server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, PaginatedRequestParams, SubscriptionsListenRequestParams

from cloud_native_mcp.routing.request import AGGREGATE
from cloud_native_mcp.transport.caller import Caller, CallFailed, client_of, principal_of
from cloud_native_mcp.transport.consent import DECLINED, NOT_ASKED, ask, can_be_asked, given_consent, question
from cloud_native_mcp.transport.drain import Drain
from cloud_native_mcp.transport.frame import MODERN
from cloud_native_mcp.transport.sessions import SessionManager

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from mcp.server.connection import Connection
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.models import InitializationOptions
    from mcp.server.subscriptions import SubscriptionBus
    from pydantic import BaseModel
    from starlette.requests import Request
    from starlette.types import Scope

    from cloud_native_mcp.routing.request import CallAnswer, ToolDoor
    from cloud_native_mcp.transport.config import LegacyMode

    Context = ServerRequestContext[Any, Request[Any]]
    RawHandler = Callable[[Context, Any], Awaitable[HandlerResult]]

LIST_TTL_MS: Final = 60_000
"""How long a client may keep a list of tools."""
LIST_SCOPE: Final = "private"
"""What a caller sees depends on its rights, so no shared cache may keep it."""
STATE_AUDIENCE: Final = "cloud-native-mcp"
_CACHE_HINTS: Final[dict[CacheableMethod, CacheHint]] = {
    "tools/list": CacheHint(LIST_TTL_MS, LIST_SCOPE),
    "prompts/list": CacheHint(LIST_TTL_MS, LIST_SCOPE),
    "resources/list": CacheHint(LIST_TTL_MS, LIST_SCOPE),
    "resources/templates/list": CacheHint(LIST_TTL_MS, LIST_SCOPE),
    "resources/read": CacheHint(0, LIST_SCOPE),
}
_NOTICE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """How the server introduces itself."""

    version: str
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class RawTool:
    """A tool served by a protocol handler of its own: its listed form and ``(context, params) -> result``."""

    listed: Mapping[str, object]
    handler: RawHandler


@dataclass(frozen=True, slots=True)
class RawHandlers:
    """What an endpoint serves besides the tools of the door.

    ``requests``: handlers by method, each with the model of its params. ``tools``: by name.
    """

    requests: Mapping[str, tuple[type[BaseModel], RawHandler]] = field(default_factory=dict[str, Any])
    tools: Mapping[str, RawTool] = field(default_factory=dict[str, RawTool])


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Bounds of sessions: how many, how long idle (seconds), and when a cut stream is to be resumed (ms)."""

    most: int = 1_000
    idle_s: float = 1_800.0
    retry_ms: int = 1_000


class _ProtocolServer(Server[Any]):
    """The library's server; its sessions announce list changes."""

    announces: bool = False

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        if notification_options is None:
            notification_options = NotificationOptions(self.announces, self.announces, self.announces)
        return super().create_initialization_options(notification_options, experimental_capabilities, extensions)

    def streaming_options(self) -> InitializationOptions:
        """For transports that are one lasting connection, which can always be told of changes."""
        return self.create_initialization_options(NotificationOptions(True, True, True))  # noqa: FBT003


class Endpoint:
    """One endpoint over the tool door.

    Args:
        name: ``aggregate`` or a service.
        legacy: how clients up to 2025-11-25 are served over Streamable HTTP.
        state_keys: keys (32 bytes or more; the first seals) for the state of calls that ask the client for more;
            shared by all nodes. Without them a random key serves until the process ends.
        bus: carries list changes to listening clients; share one to reach the clients of several endpoints.
        drain: counts the calls in flight.
    """

    def __init__(
        self,
        name: str,
        door: ToolDoor,
        *,
        identity: Identity,
        legacy: LegacyMode = "stateless",
        state_keys: Sequence[bytes] | None = None,
        raw: RawHandlers | None = None,
        sessions: SessionLimits | None = None,
        max_body_bytes: int = 4_194_304,
        bus: SubscriptionBus | None = None,
        drain: Drain | None = None,
    ) -> None:
        self.name = name
        self.door = door
        self.raw = raw or RawHandlers()
        self.stateless = legacy == "stateless"
        self.drain = drain or Drain()
        self.caller = Caller(name, door, self.drain)
        self.sessions = sessions or SessionLimits()
        self._bus = bus or InMemorySubscriptionBus()
        self._listeners = ListenHandler(self._bus)
        self._connections: WeakSet[Connection] = WeakSet()
        self.server = self._make_server(identity, state_keys)
        self.manager = SessionManager(
            self.server,
            stateless=self.stateless,
            retry_interval=self.sessions.retry_ms,
            session_idle_timeout=self.sessions.idle_s,
            max_sessions=self.sessions.most,
            max_request_body_size=max_body_bytes,
        )

    def _make_server(self, identity: Identity, state_keys: Sequence[bytes] | None) -> _ProtocolServer:
        server = _ProtocolServer(
            "cloud-native-mcp" if self.name == AGGREGATE else f"cloud-native-mcp/{self.name}",
            version=identity.version,
            instructions=identity.instructions or None,
            cache_hints=_CACHE_HINTS,
            get_tool_input_schema=self.input_schema,
        )
        server.announces = not self.stateless
        server.add_request_handler("tools/list", PaginatedRequestParams, self._list_tools)
        server.add_request_handler("tools/call", CallToolRequestParams, self._call_tool)
        server.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self._listeners)
        for method, (params, handler) in self.raw.requests.items():
            server.add_request_handler(method, params, handler)
        security = (
            RequestStateSecurity(keys=state_keys, bind_principal=_principal_name)
            if state_keys
            else RequestStateSecurity.ephemeral()
        )
        security.bind_principal = _principal_name
        # Spans are made by the call chain, on every way; the library's own middleware would double them.
        server.middleware[:] = [
            RequestStateBoundary(security, default_audience=STATE_AUDIENCE),
            self._remember_connection,
        ]
        return server

    def input_schema(self, tool: str) -> Mapping[str, object] | None:
        """The input schema of a tool of this endpoint, or None."""
        raw = self.raw.tools.get(tool)
        if raw is not None:
            return cast("Mapping[str, object]", raw.listed.get("inputSchema"))
        return self.door.input_schema(self.name, tool)

    def may_ask(self, tool: str) -> bool:
        """Whether calls of that tool may answer a plan that a person is asked about."""
        return self.door.may_ask(self.name, tool)

    async def _list_tools(self, ctx: Context, params: PaginatedRequestParams) -> dict[str, Any]:
        if params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "invalid cursor: the list is one page")
        listed = self.door.list_tools(self.name, principal_of(_scope(ctx)))
        return {"tools": [*(tool.listed for tool in self.raw.tools.values()), *listed.tools], "resultType": "complete"}

    async def _call_tool(self, ctx: Context, params: CallToolRequestParams) -> HandlerResult:
        raw = self.raw.tools.get(params.name)
        if raw is not None:
            return await raw.handler(ctx, params)
        consent = given_consent(params)
        if consent is None:
            return _result(DECLINED)
        answer = await self._answer(ctx, params, consent)
        if not answer.confirm:
            return _result(answer)
        if not can_be_asked(ctx):
            return _result(NOT_ASKED if answer.needs_person else answer)
        if ctx.protocol_version in MODERN:
            return question(answer)
        if not await ask(ctx, answer):
            return _result(DECLINED)
        return _result(await self._answer(ctx, params, answer.confirm))

    async def _answer(self, ctx: Context, params: CallToolRequestParams, consent: str) -> CallAnswer:
        scope = _scope(ctx)
        meta = cast("Mapping[str, object] | None", ctx.params.get("_meta") if ctx.params else None)

        async def progress(done: float, total: float | None = None, message: str | None = None) -> None:
            await ctx.session.report_progress(done, total, message)

        try:
            return await self.caller.call(
                params.name,
                params.arguments or {},
                principal=principal_of(scope),
                client=client_of(scope, version=ctx.protocol_version, meta=meta),
                progress=progress,
                consent=consent,
            )
        except CallFailed as failure:
            raise MCPError(failure.code, failure.message) from None

    async def _remember_connection(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        if ctx.method == "notifications/initialized":
            self._connections.add(ctx.session._connection)  # noqa: SLF001 - the library has no registry of connections
        return await call_next(ctx)

    async def announce_tools_changed(self) -> None:
        """Tell clients that their list of tools may have changed."""
        await self._bus.publish(ToolsListChanged())
        await asyncio.gather(*(_announce(connection) for connection in list(self._connections)))

    def close_listening(self) -> None:
        """End streams that only wait for changes; calls go on."""
        self._listeners.close()
        self.manager.close_listening()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Serve Streamable HTTP while inside; once per endpoint."""
        async with self.manager.run():
            yield


async def _announce(connection: Connection) -> None:
    """A client that does not read its stream must not hold up the others."""
    try:
        async with asyncio.timeout(_NOTICE_SECONDS):
            await connection.send_tool_list_changed()
    except TimeoutError:
        return


def _result(answer: CallAnswer) -> dict[str, Any]:
    return {"content": list(answer.content), "isError": answer.is_error, "resultType": "complete"}


def _scope(ctx: Context) -> Scope | None:
    return ctx.request.scope if ctx.request is not None else None


def _principal_name(ctx: Context) -> str:
    principal = principal_of(_scope(ctx))
    return f"{principal.method}:{principal.id}"
