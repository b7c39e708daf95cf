"""``server.legacy: sessions`` through the whole server: one caller's session, its stream, and news of its tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.promises import promise
from tests.server_fixtures import KEY, OTHER_KEY, Served, ledger_settings, served
from tests.transport.serving import eventually
from tests.transport.sessions import Stream, open_session
from tests.transport.wire import LEGACY, exchange, legacy_call, modern_call, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/mcp"
MINE = {"x-api-key": KEY}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("sessions")
    keys = {"tester": {"key": KEY}, "other": {"key": OTHER_KEY}}
    with served(ledger_settings(folder, auth={"api_keys": keys}, server={"legacy": "sessions"})) as running:
        yield running


@promise("T10")
def test_a_session_calls_tools_hears_of_changed_lists_and_ends(server: Served) -> None:
    named = open_session(server, path=PATH, headers=MINE)
    assert "entry 1" in post(server, legacy_call("ledger_list"), path=PATH, headers=named).text
    (line,) = server.stored(lambda line: line.get("tool") == "ledger_list")
    assert (line["principal"], line["door"]) == ("tester", "streamable-http")
    with Stream(server, PATH, **named, **{"mcp-protocol-version": LEGACY}) as stream:
        assert stream.status() == 200
        server.within(server.app.announce_tools_changed)
        assert stream.message()["method"] == "notifications/tools/list_changed"
        assert exchange(server, "DELETE", PATH, headers=named).status == 200
    assert eventually(lambda: server.sessions() == 0)


@promise("S15")
def test_a_session_answers_nobody_but_the_caller_that_opened_it(server: Served) -> None:
    named = open_session(server, path=PATH, headers=MINE)
    stolen = {**named, "x-api-key": OTHER_KEY}
    assert post(server, legacy_call("ledger_list"), path=PATH, headers=stolen).status == 404
    assert post(server, legacy_call("ledger_list"), path=PATH, headers={**named, "x-api-key": "x" * 20}).status == 401
    assert exchange(server, "DELETE", PATH, headers=stolen).status == 404
    assert post(server, legacy_call("ledger_list"), path=PATH, headers=named).status == 200


def test_clients_without_sessions_are_served_beside_them(server: Served) -> None:
    assert "entry 1" in post(server, modern_call("ledger_list"), path=PATH, headers=MINE).text
