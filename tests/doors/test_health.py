"""The summary of health lists what is not well, without asking any backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.config.loading import settings_of
from tests.fault_server.server import closed_port
from tests.promises import promise
from tests.server_fixtures import Served, served
from tests.transport.wire import get, modern_call, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server whose one backend is down from the start."""
    with closed_port() as url:
        flags: dict[str, object] = {
            "prometheus": {"targets": {"main": {"url": url}}},
            "kubernetes": {"enabled": False},
            "ledger": {"enabled": False},
            "audit": {"file": str(tmp_path / "audit.jsonl")},
            "server": {"toolset": "extended"},
        }
        with served(settings_of(flags=flags)) as running:
            yield running


def _health(server: Served) -> dict[str, Any]:
    answer = get(server, "/health")
    assert answer.status == 200
    return orjson.loads(answer.body)


@promise("F1")
def test_a_backend_that_is_down_leaves_the_server_ready_and_is_listed_after_a_call_met_it(server: Served) -> None:
    assert _health(server)["services"] == {"prometheus": "running", "utilities": "running"}
    assert "unreachable" in post(server, modern_call("prometheus_query", {"query": "up"}), path="/mcp").text
    summary = _health(server)
    assert summary["status"] == "degraded"
    assert summary["services"]["prometheus"] == "unreachable"
    assert get(server, "/readyz").status == 200
    detail = orjson.loads(get(server, "/health?detail").body)
    (target,) = next(one["targets"] for one in detail["services"] if one["name"] == "prometheus")
    assert (target["target"], target["state"]) == ("main", "unreachable")
    assert "main" not in str(summary)
