"""Functions that read what others wrote, run in a child process: it has bounds on memory and time, and can be ended.

Decoding a large document holds the interpreter, which would stop every other call, and a page made for it can take any
amount of time or memory. A child costs about a tenth of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import msgspec

from cloud_native_mcp.errors import InvalidArgument, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

_AT_ONCE: Final = 2
_START: Final = f"from {__name__} import answer; answer()"

P = ParamSpec("P")
T = TypeVar("T")


class Refusal(msgspec.Struct):
    """A `ToolError` on its way out of the child; ``field`` is set for an `InvalidArgument`."""

    code: str
    text: str
    field: str | None


class Reply(msgspec.Struct):
    """What the child answers: a value, or why there is none."""

    value: msgspec.Raw = msgspec.Raw(b"\xc0")  # nil
    refusal: Refusal | None = None


class Bounds(msgspec.Struct, frozen=True):
    """What a child may use: bytes of memory, seconds of processor time, bytes of its answer."""

    memory: int = 1_000_000_000
    cpu_seconds: int = 15
    answer: int = 20_000_000


class BoundedProcess:
    """Runs functions in children, a few at a time; the others wait for their turn, as long as their call may last."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def run(self, kind: type[T], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns.

        Args:
            kind: the type of its result.
            function: of a module's top level; arguments and result are what msgpack can carry.

        Raises:
            ToolError: as the function; ``too_large`` when it needs too much memory or time, or says too much.
        """
        task = msgspec.msgpack.encode((function.__module__, function.__qualname__, args, kwargs, self._bounds))
        async with self._turns:
            code, answer = await _child(task)
        if code != 0:
            raise ToolError("too_large", "this document takes too much memory or time to read", kind="final")
        reply = msgspec.msgpack.decode(answer, type=Reply)
        if reply.refusal is not None:
            raise _error(reply.refusal)
        return msgspec.msgpack.decode(reply.value, type=kind)


async def _child(task: bytes) -> tuple[int | None, bytes]:
    """Exit code and output of a child that was given a task; it is ended when nobody waits for it any more."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        _START,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    try:
        answer, _ = await child.communicate(task)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return child.returncode, answer


def _error(refusal: Refusal) -> ToolError:
    if refusal.field is not None:
        return InvalidArgument(refusal.field, refusal.text.removeprefix(f"{refusal.field}: "), code=refusal.code)
    return ToolError(refusal.code, refusal.text, kind="final")


def answer() -> None:
    """The child: read a task from standard input, write the reply to standard output."""
    module, name, args, kwargs, bounds = msgspec.msgpack.decode(
        sys.stdin.buffer.read(), type=tuple[str, str, list[object], dict[str, object], Bounds]
    )
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_seconds, bounds.cpu_seconds))
    try:
        value = getattr(importlib.import_module(module), name)(*args, **kwargs)
        reply = Reply(msgspec.Raw(msgspec.msgpack.encode(value)))
    except ToolError as error:
        field = error.field if isinstance(error, InvalidArgument) else None
        reply = Reply(refusal=Refusal(error.code, error.text, field))
    packed = msgspec.msgpack.encode(reply)
    if len(packed) > bounds.answer:
        sys.exit(1)
    sys.stdout.buffer.write(packed)
