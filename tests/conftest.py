"""Fixtures of every test: nothing may be left behind. Warnings are errors (``pyproject.toml``)."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from pytest_asyncio import is_async_test

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytest_plugins = ("tests.canary_watch", "tests.lab_fixtures")

SETTLE_SECONDS = 5.0
"""How long closing sockets and tasks may take after a test before they count as leaked."""

settings.register_profile("no-clock", deadline=None)
settings.load_profile("no-clock")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that change the lab's cluster: they run after those that look at all of it."""
    for item in items:
        if isinstance(item, pytest.Function) and "scratch" in item.fixturenames:
            item.add_marker(pytest.mark.changes)


_DESCRIPTORS = Path("/proc/self/fd") if Path("/proc/self/fd").is_dir() else Path("/dev/fd")


def open_descriptors() -> set[tuple[str, str]]:
    """Every open descriptor of this process with what it refers to (``socket:[4711]``, a path)."""
    found: set[tuple[str, str]] = set()
    for number in _DESCRIPTORS.iterdir():
        try:
            found.add((number.name, str(number.readlink())))
        except OSError:
            continue  # the descriptor of this very listing
    return found


def _leaked(before: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return open_descriptors() - before


def _describe(leaked: set[tuple[str, str]]) -> str:
    return "left open: " + ", ".join(sorted(f"{number} -> {target}" for number, target in leaked))


@pytest.fixture
async def no_async_leaks() -> AsyncIterator[None]:
    """Fails a coroutine test that leaves a task, socket or file behind; looks from inside the test's own loop."""
    before = open_descriptors()
    tasks_before = asyncio.all_tasks()
    yield
    own = asyncio.current_task()
    until = time.monotonic() + SETTLE_SECONDS
    await asyncio.sleep(0)
    while True:
        leaked, tasks = _leaked(before), asyncio.all_tasks() - tasks_before - {own}
        if not leaked and not tasks:
            return
        if time.monotonic() > until:
            break
        gc.collect()
        await asyncio.sleep(0.01)
    assert not tasks, f"tasks left running: {tasks}"
    assert not leaked, _describe(leaked)


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves as many tasks, sockets and files as it found.

    Fixtures of wider scope that a test names are set up before this one looks, so what they hold is not counted.
    """
    item: object = request.node
    if isinstance(item, pytest.Item) and is_async_test(item):
        request.getfixturevalue("no_async_leaks")
        yield
        return
    before = open_descriptors()
    yield
    until = time.monotonic() + SETTLE_SECONDS
    while leaked := _leaked(before):
        if time.monotonic() > until:
            pytest.fail(_describe(leaked))
        gc.collect()
        time.sleep(0.01)
