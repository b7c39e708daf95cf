"""The leak check itself: tests that leave something behind fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

pytest_plugins = ["pytester"]

LEAKY = """
import asyncio, socket, tests.conftest
from tests.conftest import no_leaks, no_async_leaks
tests.conftest.SETTLE_SECONDS = 0.05
kept = []

def test_socket():
    kept.append(socket.socket())

def test_file(tmp_path):
    kept.append(open(tmp_path / "x", "w", encoding="utf-8"))

async def test_task():
    kept.append(asyncio.create_task(asyncio.sleep(60)))

async def test_connection():
    kept.append(socket.socket())
"""

CLEAN = """
import asyncio
from tests.conftest import no_leaks, no_async_leaks

def test_file(tmp_path):
    with open(tmp_path / "x", "w", encoding="utf-8"):
        pass

async def test_slow_close():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    asyncio.get_running_loop().call_later(0.05, server.close)
    writer.close()
"""


def run(pytester: pytest.Pytester, source: str, root: Path) -> pytest.RunResult:
    pytester.makeini(f"[pytest]\nasyncio_mode = auto\npythonpath = {root}\n")
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


def test_what_a_test_leaves_open_fails_it(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> None:
    outcome = run(pytester, LEAKY, pytestconfig.rootpath)
    outcome.assert_outcomes(passed=4, errors=4)
    outcome.stdout.fnmatch_lines(["*left open:*socket:*", "*tasks left running:*"], consecutive=False)


def test_what_closes_soon_after_the_test_is_no_leak(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> None:
    run(pytester, CLEAN, pytestconfig.rootpath).assert_outcomes(passed=2)
