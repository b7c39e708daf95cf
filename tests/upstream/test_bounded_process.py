"""A function in a child process: its result, its errors, its bounds, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.upstream.bounded_process import BoundedProcess


def joined(first: bytes, second: str, *, sign: str) -> list[str]:
    return [first.decode(), sign, second]


def refused_argument() -> str:
    raise InvalidArgument("select", "is malformed", code="invalid_jsonpath")


def refused() -> str:
    raise ToolError("unsupported_type", "is no page", kind="final")


def much_memory() -> int:
    return len(bytes(4_000_000_000))


def much_text() -> str:
    return "x" * 30_000_000


def broken() -> str:
    raise RuntimeError


def killed() -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def settings_of_the_child() -> list[str]:
    return sorted(os.environ)


def announced(folder: str) -> str:
    """Says which process this is, then works on until its file is gone."""
    file = Path(folder, str(os.getpid()))
    file.touch()
    while file.exists():
        pass
    return ""


def announcements(folder: Path) -> set[int]:
    return {int(file.name) for file in folder.iterdir()}


async def running(folder: Path, number: int) -> set[int]:
    """The processes that announced themselves, once there are so many."""
    async with asyncio.timeout(10):
        while len(found := announcements(folder)) < number:  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(0.01)
    return found


async def test_arguments_and_results_cross() -> None:
    assert await BoundedProcess().run(list[str], joined, b"a", "b", sign="+") == ["a", "+", "b"]


async def test_errors_cross_with_their_code_and_field() -> None:
    with pytest.raises(InvalidArgument) as argument:
        await BoundedProcess().run(str, refused_argument)
    assert (argument.value.code, argument.value.field) == ("invalid_jsonpath", "select")
    assert argument.value.text == "select: is malformed"
    with pytest.raises(ToolError) as error:
        await BoundedProcess().run(str, refused)
    assert (error.value.code, error.value.text, error.value.kind) == ("unsupported_type", "is no page", "final")


@pytest.mark.parametrize("function", [much_memory, much_text, broken, killed])
async def test_a_child_that_takes_too_much_or_dies_is_an_error(function: object) -> None:
    assert callable(function)
    with pytest.raises(ToolError) as error:
        await BoundedProcess().run(object, function)
    assert (error.value.code, error.value.kind) == ("too_large", "final")


async def test_the_child_is_not_given_the_servers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "hunter2")
    names = await BoundedProcess().run(list[str], settings_of_the_child)
    assert "PYTHONPATH" in names
    assert "SOME_PASSWORD" not in names


async def test_a_cancelled_call_ends_its_child(tmp_path: Path) -> None:
    call = asyncio.create_task(BoundedProcess().run(str, announced, str(tmp_path)))
    [child] = await running(tmp_path, 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


async def test_few_children_run_at_once_and_the_others_take_their_turn(tmp_path: Path) -> None:
    process = BoundedProcess()
    calls = [asyncio.create_task(process.run(str, announced, str(tmp_path))) for _ in range(3)]
    first = await running(tmp_path, 2)
    assert len(first) == 2
    assert not any(call.done() for call in calls)
    (tmp_path / str(min(first))).unlink()
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    later = await running(tmp_path, 2)
    assert len(later - first) == 1
    for child in later:
        (tmp_path / str(child)).unlink()
    assert await asyncio.gather(*calls) == ["", "", ""]
