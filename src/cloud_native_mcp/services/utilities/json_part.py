"""The selected part of a JSON document, as indented JSON. Large documents are read in a process of their own.

Decoding holds the interpreter for about 35 ms per megabyte, which would stop every other call; a child process costs a
tenth of a second and can be ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import Final

import msgspec

from cloud_native_mcp.contract.jsonpath import parse_jsonpath
from cloud_native_mcp.errors import InvalidArgument, ToolError

_INLINE: Final = 300_000
"""Bytes up to which a document is read in this process."""
_BAD_JSON: Final = 3
_BAD_PATH: Final = 4
_MEMORY: Final = 1_500_000_000
_CPU_SECONDS: Final = 15


async def json_part(body: bytes, path: str | None) -> str:
    """The whole document or what a JSONPath selects (one value, or the list of several), indented.

    Raises:
        InvalidArgument: the body is no JSON, nothing is selected, or the path takes too long.
        ToolError: ``too_large`` for a document that needs too much memory or time.
    """
    if len(body) <= _INLINE:
        return select(body, path)
    return await _in_child(body, path)


def select(body: bytes, path: str | None) -> str:
    """As `json_part`, in this process."""
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError):
        raise _not_json() from None
    if path is not None:
        found = parse_jsonpath(path, field="select").find(value)
        if not found:
            raise InvalidArgument("select", "selects nothing in this document", code="not_found")
        value = found[0] if len(found) == 1 else found
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8")


async def _in_child(body: bytes, path: str | None) -> str:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        *([path] if path is not None else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    try:
        answer, _ = await child.communicate(body)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    text = answer.decode("utf-8", "replace")
    if child.returncode == _BAD_JSON:
        raise _not_json()
    if child.returncode == _BAD_PATH:
        code, _, words = text.partition(" ")
        raise InvalidArgument("select", words, code=code)
    if child.returncode != 0:
        raise ToolError("too_large", "this JSON document takes too much memory or time to read", kind="final")
    return text


def _not_json() -> InvalidArgument:
    return InvalidArgument("format", "the answer is not JSON; use markdown, text or raw")


def _child() -> int:
    """Read a document from standard input and write its selected part; the exit code says what went wrong."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    path = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        text = select(sys.stdin.buffer.read(), path)
    except InvalidArgument as error:
        words = error.text.removeprefix(f"{error.field}: ")
        sys.stdout.buffer.write(f"{error.code} {words}".encode())
        return _BAD_JSON if error.field == "format" else _BAD_PATH
    sys.stdout.buffer.write(text.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(_child())
