"""A tool door with a handful of tools, made of real async functions."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud_native_mcp.contract.json_values import dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.request import AGGREGATE, CallAnswer, CallRequest, ToolList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.principal import Principal

SERVICE = "alpha"


def _schema(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


SCHEMAS: dict[str, dict[str, object]] = {
    "alpha_echo": _schema(text={"type": "string", "description": "Said back"}),
    "alpha_wait": _schema(),
    "alpha_steps": _schema(count={"type": "integer", "description": "How many"}),
    "alpha_refuse": _schema(),
    "alpha_crash": _schema(),
    "alpha_who": _schema(),
    "alpha_hold": _schema(),
    "alpha_slow": _schema(),
    "alpha_noise": _schema(),
    "alpha_count": _schema(),
    "alpha_broken": _schema(),
    "alpha_erase": _schema(confirm={"type": "string", "description": "Code of the plan"}),
}
ERASE_CODE = "6b08b018-72f32cc7b34cbb5ed44c"
HIDDEN = "alpha_hidden"
"""A tool that exists and that nobody may use."""


def text_answer(text: str, *, is_error: bool = False) -> CallAnswer:
    return CallAnswer(content=[{"type": "text", "text": text}], is_error=is_error)


@dataclass
class SampleDoor:
    """Implements `ToolDoor`. ``waiting`` and ``cancelled`` tell other threads what became of a waiting call."""

    revision: int = 1
    erased: int = 0
    extra_tools: int = 0
    requests: list[CallRequest] = field(default_factory=list[CallRequest])
    waiting: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    _held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(
        default_factory=list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]
    )

    @property
    def endpoints(self) -> Sequence[str]:
        return (AGGREGATE, SERVICE)

    def list_tools(self, endpoint: str, principal: Principal) -> ToolList:
        names = [*SCHEMAS, *(f"alpha_extra_{number}" for number in range(self.extra_tools))]
        if principal.id == "restricted":
            names = ["alpha_echo"]
        tools: list[dict[str, object]] = [
            {
                "name": name,
                "description": f"Sample tool {name}",
                "inputSchema": SCHEMAS.get(name, _schema()),
                "annotations": {"readOnlyHint": True, "openWorldHint": False},
            }
            for name in names
        ]
        return ToolList(digest=f"{endpoint}-{principal.id}-{self.revision}-{len(names)}", tools=tools)

    def input_schema(self, endpoint: str, name: str) -> Mapping[str, object] | None:
        del endpoint
        return SCHEMAS.get(name) or (_EMPTY if name == HIDDEN or name.startswith("alpha_extra_") else None)

    def may_ask(self, endpoint: str, name: str) -> bool:
        schema = self.input_schema(endpoint, name) or {}
        return dig(schema, "properties", "confirm") is not None

    async def call(self, request: CallRequest) -> CallAnswer:
        self.requests.append(request)
        run = getattr(self, request.tool.removeprefix("alpha_"), None)
        if request.tool not in SCHEMAS or run is None:
            raise ToolError("unknown_tool", f"no tool {request.tool}")
        answer: CallAnswer = await run(request)
        return answer

    async def echo(self, request: CallRequest) -> CallAnswer:
        return text_answer(str(request.arguments.get("text", "")))

    async def wait(self, request: CallRequest) -> CallAnswer:
        """Like a call on a backend that never answers."""
        del request
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return text_answer("never")

    async def slow(self, request: CallRequest) -> CallAnswer:
        """Tells of its progress, then waits for ever."""
        await request.progress(1, 2, "began")
        return await self.wait(request)

    async def noise(self, request: CallRequest) -> CallAnswer:
        """Prints, as a careless library would."""
        del request
        sys.stdout.write("noise\n")
        sys.stdout.flush()
        return text_answer("quiet")

    async def hold(self, request: CallRequest) -> CallAnswer:
        """Runs until the test lets it go on."""
        del request
        gate = asyncio.Event()
        self._held.append((asyncio.get_running_loop(), gate))
        self.waiting.set()
        await gate.wait()
        return text_answer("finished")

    async def broken(self, request: CallRequest) -> CallAnswer:
        """Text that is not Unicode: half of a surrogate pair."""
        del request
        return text_answer("half \ud83d")

    async def erase(self, request: CallRequest) -> CallAnswer:
        """Acts only with the code of its plan, as an argument or as the consent of the person at the client."""
        if ERASE_CODE in {request.arguments.get("confirm"), request.consent}:
            self.erased += 1
            return text_answer("erased")
        plan = f"would erase all\nnothing was done yet; to do it, repeat the call with confirm: {ERASE_CODE}"
        return CallAnswer(content=[{"type": "text", "text": plan}], confirm=ERASE_CODE)

    async def count(self, request: CallRequest) -> CallAnswer:
        del request
        return text_answer(f"held {len(self._held)}")

    def let_go(self) -> None:
        """Let held calls finish; may be called from any thread."""
        for loop, gate in self._held:
            loop.call_soon_threadsafe(gate.set)

    async def steps(self, request: CallRequest) -> CallAnswer:
        count = request.arguments.get("count", 3)
        assert isinstance(count, int)
        for number in range(count):
            await request.progress(number + 1, count, f"step {number + 1}")
        return text_answer("done")

    async def refuse(self, request: CallRequest) -> CallAnswer:
        del request
        return text_answer("invalid_argument: text: is wrong", is_error=True)

    async def crash(self, request: CallRequest) -> CallAnswer:
        raise RuntimeError("secret detail of " + request.tool)

    async def who(self, request: CallRequest) -> CallAnswer:
        client = request.client
        return text_answer(f"{request.principal.id} {client.door} {client.peer} {client.protocol_version}")


_EMPTY: dict[str, Any] = _schema()
