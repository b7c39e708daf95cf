"""Servers and the service for the tests of Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.calls import desk
from tests.services.prometheus.servers import Running, agent_mode, with_history

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from tests.calls import Desk


_REAL = frozenset({"server", "agent"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask a real server: they need the lab's binaries."""
    for item in items:
        here = item.path.is_relative_to(Path(__file__).parent)
        if here and isinstance(item, pytest.Function) and _REAL & set(item.fixturenames):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A Prometheus with a history."""
    with with_history(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A Prometheus in agent mode."""
    with agent_mode(tmp_path_factory.mktemp("agent")) as running:
        yield running


@pytest.fixture
async def main(server: Running) -> AsyncGenerator[Desk]:
    """The service with the server as its one target."""
    async with desk("prometheus", {"targets": {"main": {"url": server.url}}}) as running:
        yield running


@pytest.fixture
async def agent_desk(agent: Running) -> AsyncGenerator[Desk]:
    """The service with the agent as its one target."""
    async with desk("prometheus", {"targets": {"agent": {"url": agent.url}}}) as running:
        yield running
