"""Calls a tool as the call chain does, without the chain: real binding, cursors, cache, HTTP pool and rendering.

::

    async with desk("prometheus", {"targets": {"main": {"url": url}}}) as prometheus:
        answer = await prometheus.ask("query", query="up")
        assert "up" in answer.text
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.acting import working_for
from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.contract.service import ServiceContext, ServiceSpec
from cloud_native_mcp.manager.discovery import Discovered
from cloud_native_mcp.manager.loading import load_config_type, load_start, load_tools
from cloud_native_mcp.response.render import Renderer
from cloud_native_mcp.routing.binding import Bound, bind
from cloud_native_mcp.routing.catalogue import Entry, entries_of
from cloud_native_mcp.routing.confirmations import PURPOSE as CONFIRMATIONS
from cloud_native_mcp.routing.confirmations import CallConfirmations
from cloud_native_mcp.routing.cursors import PURPOSE, CallCursors
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.secrets.sealing import Sealer
from cloud_native_mcp.secrets.state_key import StateKeys
from cloud_native_mcp.stages import WIDENING
from cloud_native_mcp.upstream.pool import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from cloud_native_mcp.contract.call import Cursors, Progress, Tools
    from cloud_native_mcp.contract.confirmation import Confirmations
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.contract.result import CursorState, Result
    from cloud_native_mcp.contract.server import ServerView, ServiceHealth
    from cloud_native_mcp.contract.service import Service
    from cloud_native_mcp.contract.tool import Tool
    from cloud_native_mcp.upstream.observer import UpstreamObserver

KEYS = StateKeys([b"tests" * 8])
CONFIRM_KEYS = KEYS.derive(CONFIRMATIONS)
_UNBOUND = Bound(args=None, targets=(), given=frozenset(), canonical=b"")
LOG = logging.getLogger("tests")
SECONDS = 30.0


class ProgressLog:
    """Keeps what a tool reports."""

    def __init__(self) -> None:
        self.reports: list[tuple[float, float | None, str | None]] = []

    async def __call__(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Keep one report."""
        self.reports.append((done, total, message))


class NoTools:
    """For tools that call no other tool."""

    async def call(self, name: str, arguments: Mapping[str, object]) -> Result:
        """Refuse."""
        raise AssertionError(f"unexpected inner call of {name} with {dict(arguments)}")


class SmallServer:
    """A view of a server without services."""

    version = "0.0.0"

    async def health(self, *, service: str | None = None, probe: bool = False) -> Sequence[ServiceHealth]:  # noqa: ARG002
        """No service."""
        return ()

    def effects(self, principal: Principal) -> Sequence[str]:  # noqa: ARG002
        """Reads only."""
        return ("read",)

    def limits(self) -> Mapping[str, str]:
        """None."""
        return {}


class UnboundCursors:
    """Opens and seals the cursors of calls that were made by hand, whatever their arguments."""

    def __init__(self) -> None:
        self._sealer = Sealer(KEYS, PURPOSE)

    def seal(self, state: CursorState) -> str:
        """The text of a state."""
        return self._sealer.seal(state, binding=b"", ttl=60)

    def open(self, text: str) -> CursorState:
        """The state of a text."""
        return self._sealer.open(text, binding=b"")


def make_call(
    service: object,
    *,
    tool: str = "tool",
    targets: Sequence[str] = ("main",),
    given: frozenset[str] = frozenset(),
    principal: Principal = LOCAL,
    deadline: Deadline | None = None,
    progress: Progress | None = None,
    cursors: Cursors | None = None,
    confirmations: Confirmations | None = None,
    tools: Tools | None = None,
    server: ServerView | None = None,
) -> Call[Any]:
    """A call of a tool of that service."""
    return Call(
        tool=tool,
        service=service,
        principal=principal,
        targets=tuple(targets),
        deadline=deadline or Deadline.after(SECONDS),
        given=given,
        progress=progress or ProgressLog(),
        cursors=cursors or UnboundCursors(),
        confirmations=confirmations or CallConfirmations(CONFIRM_KEYS, principal=principal, tool=tool, bound=_UNBOUND),
        tools=tools or NoTools(),
        server=server or SmallServer(),
        log=logging.LoggerAdapter(LOG),
        request_id="test",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered, and the text and cursor a client sees of it."""

    result: Result
    text: str
    cursor: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of all tables, in order, as text; empty cells are empty texts."""
        tables = [block for block in self.result.blocks if isinstance(block, Table)]
        return [["" if cell is None else str(cell) for cell in row] for table in tables for row in table.rows]


class _HasSpec(Protocol):
    SPEC: ServiceSpec


@dataclass(frozen=True, slots=True)
class Desk:
    """A running service whose tools can be called; ``dataclasses.replace`` makes one for another caller or deadline.

    Attributes:
        within: seconds a call may take.
        progress: is told what tools report.
    """

    service: Service
    tools: Mapping[str, tuple[Entry, Tool]]
    caller: Principal = LOCAL
    within: float = SECONDS
    server: ServerView = field(default_factory=SmallServer)
    progress: Progress = field(default_factory=ProgressLog)

    async def ask(self, name: str, /, **arguments: object) -> Answer:
        """Call a tool (named without the service). ``from_`` stands for the argument ``from``.

        Raises:
            ToolError: what the tool or the check of its arguments raised.
        """
        entry, tool = self.tools[name]
        bound = bind(entry, {argument.removesuffix("_"): value for argument, value in arguments.items()})
        cursors = CallCursors(Sealer(KEYS, PURPOSE), principal=self.caller, tool=entry.name, bound=bound)
        call = make_call(
            self.service,
            tool=entry.name,
            targets=bound.targets,
            given=bound.given,
            principal=self.caller,
            deadline=Deadline.after(self.within),
            cursors=cursors,
            progress=self.progress,
            confirmations=CallConfirmations(CONFIRM_KEYS, principal=self.caller, tool=entry.name, bound=bound),
            server=self.server,
        )
        async with call.deadline.enforce():
            with working_for(self.caller):
                result = await tool.run(call, bound.args)
        sealed: list[str] = []

        def seal(state: CursorState) -> str:
            sealed.append(cursors.seal(state))
            return sealed[-1]

        limit = tool.budget.cap if bound.given & WIDENING else tool.budget.usual
        rendered = Renderer(KEYS.digest("digest")).render(result, limit=limit, seal=seal)
        text = "\n".join(str(part.get("text", "")) for part in rendered.content)
        return Answer(result, text, sealed[-1] if sealed and sealed[-1] in text else "")


@contextlib.asynccontextmanager
async def desk(
    service: str, config: Mapping[str, object], *, observer: UpstreamObserver | None = None
) -> AsyncGenerator[Desk]:
    """A service of this package, started with that configuration section, on a pool and cache of its own.

    Args:
        observer: is told of each request to a backend.
    """
    package = f"cloud_native_mcp.services.{service}"
    spec = cast("_HasSpec", importlib.import_module(package)).SPEC
    discovered = Discovered(spec, package)
    pool = Pool(observer)
    context: ServiceContext[Any] = ServiceContext(
        name=spec.name,
        config=load_config_type(discovered).model_validate(dict(config)),
        http=pool,
        cache=SegmentedCache(),
        secrets=SecretStore(),
        digest=KEYS.digest("digest"),
        log=LOG,
    )
    try:
        running = await load_start(discovered)(context)
        try:
            tools = load_tools(discovered)
            entries = entries_of(spec, tools, running.targets)
            yield Desk(running, {tool.name: (entry, tool) for entry, tool in zip(entries, tools, strict=True)})
        finally:
            await running.close()
    finally:
        await pool.close()
