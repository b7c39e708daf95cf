"""Calls any tool of an app and inspects what comes back: no fault, no stack, no path of this machine, no secret."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import sys
import uuid
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.routing.request import AGGREGATE, CallRequest, Client
from cloud_native_mcp.telemetry.logs import TextFormatter
from lab import CANARY
from tests.calls import ProgressLog
from tests.canary_watch import forms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloud_native_mcp.app import App
    from cloud_native_mcp.contract.principal import Principal

ROOT: Final = Path(__file__).resolve().parent.parent.parent
AT_ONCE: Final = 8
"""Calls in flight; a backend of a small machine answers these in time."""

_STACK: Final = re.compile(r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+|\bsite-packages\b")
_HERE: Final = tuple(sorted({str(ROOT), sys.prefix, sys.base_prefix + "/lib"}))
_FOREIGN: Final = re.compile(r"<untrusted.*?</untrusted>", re.DOTALL)
"""Logs of workloads may hold stacks of theirs."""

ARGUMENT_ERRORS: Final = frozenset({"invalid_argument", "invalid_selector", "invalid_jsonpath"})
_FIELD: Final = re.compile(r"\w+: '?([\w.$-]+)'?(?:\[\d+\])?: ")


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told."""

    tool: str
    arguments: Mapping[str, object]
    text: str
    code: str

    def __str__(self) -> str:
        return f"{self.tool}({dict(self.arguments)!r}) -> {self.text[:600]}"


@dataclass
class Desk:
    """An app whose tools are called, and all that it said."""

    app: App
    caller: Principal = LOCAL
    secrets: Sequence[str] = (CANARY,)
    paths: Sequence[str] = ()
    told: list[Told] = field(default_factory=list[Told])
    log: StringIO = field(default_factory=StringIO)

    def tools(self) -> dict[str, Mapping[str, object]]:
        """The input schema of every tool by name."""
        door = self.app.door
        names = [str(tool["name"]) for tool in door.list_tools(AGGREGATE, LOCAL).tools]
        return {name: door.input_schema(AGGREGATE, name) or {} for name in names}

    async def ask(self, tool: str, arguments: Mapping[str, object]) -> Told:
        """One call."""
        request = CallRequest(
            endpoint=AGGREGATE,
            tool=tool,
            arguments=arguments,
            principal=self.caller,
            client=Client(door="cli"),
            progress=ProgressLog(),
            request_id=uuid.uuid4().hex,
        )
        try:
            answer = await self.app.door.call(request)
        except ToolError as error:
            told = Told(tool, arguments, error.text, error.code)
        else:
            text = "".join(itertools.chain.from_iterable(str(part.get("text", "")) for part in answer.content))
            told = Told(tool, arguments, text, answer.code)
        self.told.append(told)
        return told

    async def ask_all(self, calls: Iterable[tuple[str, Mapping[str, object]]]) -> list[Told]:
        """Many calls, a few at a time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(tool: str, arguments: Mapping[str, object]) -> Told:
            async with gate:
                return await self.ask(tool, arguments)

        return list(await asyncio.gather(*(one(tool, arguments) for tool, arguments in calls)))

    def inspect(self, told: Told) -> None:
        """Fails unless the answer is fit for a caller."""
        assert told.code != "internal", told
        assert not _STACK.search(_FOREIGN.sub("", told.text)), told
        sent = str(dict(told.arguments))
        for path in (*_HERE, *self.paths):
            assert path not in told.text or path in sent, f"{path} in {told}"
        for secret in self.hidden():
            assert secret not in told.text, f"a secret in {told}"
        if told.code in ARGUMENT_ERRORS:
            assert names_an_argument(told), told

    def hidden(self) -> tuple[str, ...]:
        """What must not be in any output, in all its forms."""
        return tuple(itertools.chain.from_iterable(forms_of(secret) for secret in self.secrets))

    def inspect_the_rest(self, audit: Path) -> None:
        """Fails when audit, metrics or logs hold a secret; call it after the app is closed."""
        metrics, _ = self.app.metrics.render()
        outputs = {"audit": audit.read_text("utf-8"), "metrics": metrics.decode(), "log": self.log.getvalue()}
        assert outputs["audit"].count("\n") >= len(self.told)
        for name, text in outputs.items():
            for secret in self.hidden():
                where = text.find(secret)
                assert where < 0, f"a secret in {name}: …{text[max(0, where - 200) : where + 20]}"


def names_an_argument(told: Told) -> bool:
    """Whether an argument error begins with an argument of that tool, or one the caller made up."""
    found = _FIELD.match(told.text)
    return found is not None and found.group(1) != "arguments"


def log_into(stream: StringIO) -> logging.Handler:
    """A handler that writes records as the server's own text log does."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter(scrub))
    return handler
