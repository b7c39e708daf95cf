"""What the doors of the whole server show to callers without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from tests.promises import promise
from tests.server_fixtures import KEY, Served, ledger_settings, lines_of, served
from tests.transport.wire import get

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("doors")
    settings = ledger_settings(
        folder,
        auth={"api_keys": {"tester": {"key": KEY}}},
        ratelimit={"failure_burst": 3, "failures_per_second": 0.001},
    )
    with served(settings) as running:
        yield running


def test_probes_and_the_summary_need_no_key(server: Served) -> None:
    assert [get(server, path).status for path in ("/livez", "/readyz", "/health")] == [200, 200, 200]
    assert orjson.loads(get(server, "/health").body)["status"] == "ok"


@promise("S16")
def test_the_detail_of_health_is_no_place_to_guess_keys_unseen(server: Served) -> None:
    guesses = [get(server, "/health?detail", {"x-api-key": f"guess-number-{n:08}"}) for n in range(4)]
    assert [guess.status for guess in guesses] == [401, 401, 401, 429]
    assert guesses[0].headers["www-authenticate"].startswith("Bearer ")
    recorded = server.stored(lambda line: line.get("stage") == "auth", at_least=3)
    assert {line["endpoint"] for line in recorded} == {"/health"}
    assert b"guess" not in server.audit.read_bytes()
    assert get(server, "/health?detail", {"x-api-key": KEY}).status == 200
    assert len(lines_of(server.audit)) == 3


@promise("S16")
def test_guessing_keys_goes_on_under_no_other_address_that_a_client_makes_up(tmp_path: Path) -> None:
    settings = ledger_settings(
        tmp_path,
        auth={"api_keys": {"tester": {"key": KEY}}},
        ratelimit={"failure_burst": 3, "failures_per_second": 0.001},
    )
    with served(settings) as server:
        statuses = [
            get(server, "/mcp", {"x-api-key": f"guess-number-{n:08}", name: shape.format(n)}).status
            for n, (name, shape) in enumerate(MADE_UP)
        ]
    assert statuses == [401] * 3 + [429] * (len(MADE_UP) - 3)
    assert {line["peer"] for line in lines_of(server.audit)} == {"127.0.0.1"}


MADE_UP = [
    ("x-forwarded-for", "203.0.113.{}"),
    ("x-forwarded-for", "[2001:db8:{}::1]:80"),
    ("forwarded", "for=203.0.113.{}"),
    ("x-real-ip", "203.0.113.{}"),
    ("true-client-ip", "203.0.113.{}"),
    ("x-forwarded-for", "127.0.0.{}, 127.0.0.1"),
]
