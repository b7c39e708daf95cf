"""One run of a program: an argument list, bounded output, an end that is asked for before it is forced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

END_SECONDS: Final = 10.0
"""How long a program may take to end after it was asked to: Helm marks a release it breaks off as failed."""
_PART: Final = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote."""

    status: int
    output: bytes
    complaint: bytes


async def run(
    program: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    most_bytes: int,
    given: bytes | None = None,
) -> Ended:
    """Run a program to its end; when this is cancelled, the program is told to end, and ended if it does not.

    Args:
        environment: the whole of it; nothing is inherited.
        folder: where it runs.
        most_bytes: of output, and of complaints; beyond it the program is ended.
        given: its standard input; without it there is none.

    Raises:
        ToolError: ``too_large`` when it wrote more; ``engine_missing`` when it cannot be started.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(
            "engine_missing", f"{program.name} cannot be started: {error.strerror}", kind="final"
        ) from error
    try:
        output, complaint, _ = await asyncio.gather(
            _read(child.stdout, most_bytes), _read(child.stderr, most_bytes), _give(child.stdin, given)
        )
        status = await child.wait()
    finally:
        await _end(child)
    return Ended(status, output, complaint)


async def _read(stream: asyncio.StreamReader | None, most_bytes: int) -> bytes:
    read = bytearray()
    while stream is not None and (part := await stream.read(_PART)):
        read += part
        if len(read) > most_bytes:
            raise ToolError("too_large", f"Helm wrote more than {most_bytes // 1_000_000} MB", kind="final")
    return bytes(read)


async def _give(stream: asyncio.StreamWriter | None, given: bytes | None) -> None:
    """Write it all and close; a program that does not want it says why by its end."""
    if stream is None or given is None:
        return
    with contextlib.suppress(ConnectionError):
        stream.write(given)
        await stream.drain()
    stream.close()


async def _end(child: asyncio.subprocess.Process) -> None:
    """See that the program and whatever it started are gone."""
    if child.returncode is None:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await child.communicate()
    if child.returncode is None:
        _signal(child, signal.SIGKILL)
        await child.communicate()


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
