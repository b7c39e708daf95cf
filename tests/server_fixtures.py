"""The whole server for tests: the app with every part, called through its call chain or over real HTTP.

::

    async with started(ledger_settings(folder)) as server:
        answer = await server.call("ledger_list")
        assert answer.record["outcome"] == "ok"
"""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import orjson

from cloud_native_mcp.app import App
from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.doors import http_app
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.request import AGGREGATE, CallRequest, Client
from cloud_native_mcp.transport.server import make_server
from tests.calls import ProgressLog
from tests.config.loading import settings_of
from tests.transport.serving import Running, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from cloud_native_mcp.config.settings import Settings
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.routing.request import Door
    from lab import LabEnv
    from tests.samples.ledger.service import LedgerService

ALL_EFFECTS = ("read", "write", "destroy")
KEY = "tester-key-0123456789"
"""The API key of the caller ``tester``; ``OTHER_KEY`` is of ``other``."""
OTHER_KEY = "other-key-0123456789"
BOUND_SECONDS = 5.0
Line = dict[str, object]


def lines_of(audit: Path) -> list[Line]:
    """The records in an audit file."""
    return [cast("Line", orjson.loads(line)) for line in audit.read_bytes().splitlines()] if audit.exists() else []


def audit_file(settings: Settings) -> Path:
    """The file that the settings name for the audit."""
    assert settings.audit.file is not None
    return settings.audit.file


def ledger_settings(
    folder: Path, *, effects: Sequence[str] = ("read",), books: Mapping[str, int] | None = None, **flags: object
) -> Settings:
    """The ledger alone, its books by name with how many entries each begins with; the audit in the folder."""
    targets = {name: {"entries": entries} for name, entries in (books or {"main": 3}).items()}
    mine: dict[str, object] = {
        "ledger": {"targets": targets},
        "utilities": {"enabled": False},
        "server": {"effects": list(effects), "toolset": "extended", "port": 0},
        "audit": {"file": str(folder / "audit.jsonl")},
    }
    return settings_of(flags=_merged(mine, flags))


def lab_settings(lab: LabEnv, folder: Path, **flags: object) -> Settings:
    """Every service over the lab, as administrator, with all effects and tools; the audit in the folder."""
    mine: dict[str, object] = {
        "kubernetes": {"enabled": True, "targets": {"lab": {"kubeconfig": str(lab.kubeconfig_admin)}}},
        "helm": {
            "enabled": True,
            "targets": {"lab": {"kubeconfig": str(lab.kubeconfig_admin)}},
            "engine": {"binary": str(lab.helm)},
        },
        "prometheus": {"targets": {"lab": {"url": lab.prometheus_url}}},
        "ledger": {"enabled": False},
        "server": {"effects": list(ALL_EFFECTS), "toolset": "extended", "port": 0},
        "audit": {"file": str(folder / "audit.jsonl")},
    }
    return settings_of(flags=_merged(mine, flags))


def _merged(first: Mapping[str, object], second: Mapping[str, object]) -> dict[str, object]:
    merged = dict(first)
    for name, value in second.items():
        known = merged.get(name)
        both = isinstance(known, dict) and isinstance(value, dict)
        merged[name] = _merged(cast("dict[str, object]", known), cast("dict[str, object]", value)) if both else value
    return merged


@dataclass(frozen=True, slots=True)
class Answered:
    """What a caller got, with the audit's record of how the call ended."""

    text: str
    code: str
    facts: Mapping[str, object]
    record: Line

    @property
    def cursor(self) -> str:
        """The cursor in the footer, or nothing."""
        return self.text.partition("cursor: ")[2].split()[0] if "cursor: " in self.text else ""


@dataclass
class Server:
    """An app that is started, and calls into it."""

    app: App
    audit: Path
    progress: ProgressLog = field(default_factory=ProgressLog)

    @property
    def ledger(self) -> LedgerService:
        """The running ledger."""
        return cast("LedgerService", self.app.manager.running["ledger"].service)

    def request(
        self,
        tool: str,
        arguments: Mapping[str, object] | None = None,
        *,
        endpoint: str = AGGREGATE,
        principal: Principal = LOCAL,
        door: Door = "cli",
        request_id: str = "",
    ) -> CallRequest:
        """A call as a door would hand it in."""
        return CallRequest(
            endpoint=endpoint,
            tool=tool,
            arguments=arguments or {},
            principal=principal,
            client=Client(door=door, peer="192.0.2.7", protocol_version="2026-07-28"),
            progress=self.progress,
            request_id=request_id or uuid.uuid4().hex,
        )

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, object] | None = None,
        *,
        endpoint: str = AGGREGATE,
        principal: Principal = LOCAL,
        door: Door = "cli",
        request_id: str = "",
    ) -> Answered:
        """One call through the whole chain; an unknown tool is answered like every other refusal."""
        request = self.request(
            tool, arguments, endpoint=endpoint, principal=principal, door=door, request_id=request_id
        )
        try:
            answer = await self.app.door.call(request)
        except ToolError as error:
            return Answered(error.text, error.code, {}, await self.ended(request.request_id))
        text = "\n".join(str(part.get("text", "")) for part in answer.content)
        return Answered(text, answer.code, answer.facts, await self.ended(request.request_id))

    async def ended(self, request_id: str) -> Line:
        """The record of a call's end, once it is stored."""
        return (await self.stored(lambda line: line["request"] == request_id and line["phase"] == "end"))[0]

    async def stored(self, wanted: Callable[[Line], bool], *, at_least: int = 1) -> list[Line]:
        """The records that fit, once there are enough of them."""
        async with asyncio.timeout(BOUND_SECONDS):
            while len(found := [line for line in lines_of(self.audit) if wanted(line)]) < at_least:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.005)
        return found


@asynccontextmanager
async def started(settings: Settings, *, prepare: Callable[[App], None] | None = None) -> AsyncGenerator[Server]:
    """An app in this event loop; ``prepare`` may change it before it starts."""
    app = App(settings)
    if prepare is not None:
        prepare(app)
    await app.start()
    try:
        assert not app.manager.failed
        yield Server(app, audit_file(settings))
    finally:
        await app.close()


@dataclass
class Served(Running):
    """An app behind the real HTTP server, in a thread with its own event loop."""

    inside: App = field(kw_only=True)
    audit: Path = field(kw_only=True)

    @property
    def ledger(self) -> LedgerService:
        """The running ledger."""
        return cast("LedgerService", self.inside.manager.running["ledger"].service)

    def stored(self, wanted: Callable[[Line], bool], *, at_least: int = 1) -> list[Line]:
        """The records that fit, once there are enough of them."""
        found: list[Line] = []

        def enough() -> bool:
            found[:] = [line for line in lines_of(self.audit) if wanted(line)]
            return len(found) >= at_least

        assert eventually(enough), f"not in the audit: {lines_of(self.audit)}"
        return found


@contextmanager
def served(settings: Settings) -> Generator[Served]:
    """The app over HTTP on a free port until the block ends."""
    ready = threading.Event()
    made: list[Served] = []
    faults: list[BaseException] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(
            target=_serve, args=(settings, listener, made, faults, ready), name="served", daemon=True
        )
        thread.start()
        try:
            assert ready.wait(30), "the app did not start"
            assert made, faults
            assert eventually(lambda: made[0].server.started), "the server did not start"
            yield made[0]
        finally:
            if made:
                made[0].server.should_exit = True
            thread.join(15)
            assert not thread.is_alive(), "the server did not stop"


def _serve(
    settings: Settings,
    listener: socket.socket,
    made: list[Served],
    faults: list[BaseException],
    ready: threading.Event,
) -> None:
    async def work() -> None:
        app = App(settings)
        await app.start()
        try:
            http = http_app(app)
            server = make_server(http, settings.server)
            loop = asyncio.get_running_loop()
            port = int(listener.getsockname()[1])
            made.append(Served(http, server, port, app.door, [loop], inside=app, audit=audit_file(settings)))
            ready.set()
            await server.serve(sockets=[listener])
        finally:
            await app.close()

    try:
        asyncio.run(work())
    except BaseException as fault:  # noqa: BLE001 - handed to the test that waits for the thread
        faults.append(fault)
    finally:
        ready.set()
