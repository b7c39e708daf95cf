from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server_fixtures import ALL_EFFECTS, Served, Server, ledger_settings, served, started

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncGenerator[Server]:
    """A server that only reads, over a ledger of three entries."""
    async with started(ledger_settings(tmp_path)) as server:
        yield server


@pytest.fixture
async def changing(tmp_path: Path) -> AsyncGenerator[Server]:
    """A server that allows every effect, over a ledger of three entries."""
    async with started(ledger_settings(tmp_path, effects=ALL_EFFECTS)) as server:
        yield server


@pytest.fixture
def reading_http(tmp_path: Path) -> Generator[Served]:
    """The server that only reads, over HTTP."""
    with served(ledger_settings(tmp_path)) as server:
        yield server
