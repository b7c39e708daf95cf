"""A cursor continues the very call it came from, for the very caller it was given to, while it is fresh."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import LOCAL, Principal
from cloud_native_mcp.routing.cursors import CURSOR_TTL_S, PURPOSE
from cloud_native_mcp.secrets.sealing import Sealer
from tests.promises import promise
from tests.server_fixtures import Answered, Server, ledger_settings, served, started
from tests.transport.wire import modern_call, post

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

ANN = Principal(id="ann", method="api_key")
BEN = Principal(id="ben", method="api_key")
PAGE = {"limit": 2}


@pytest.fixture
async def books(tmp_path: Path) -> AsyncGenerator[Server]:
    """Two ledgers of five entries."""
    async with started(ledger_settings(tmp_path, books={"main": 5, "branch": 5})) as server:
        yield server


async def _cursor(server: Server, principal: Principal = ANN) -> str:
    cursor = (await server.call("ledger_list", PAGE, principal=principal)).cursor
    assert len(cursor) > 40
    return cursor


def _refused(answer: Answered, code: str = "invalid_cursor") -> None:
    assert answer.code == code
    assert "list again" in answer.text
    assert "entry" not in answer.text
    assert answer.record["outcome"] == "failed"


@promise("B17")
async def test_a_cursor_goes_on_where_the_page_ended(books: Server) -> None:
    numbers: list[object] = []
    arguments: dict[str, object] = dict(PAGE)
    while len(numbers) < 5:
        answer = await books.call("ledger_list", arguments, principal=ANN)
        assert answer.code == ""
        numbers.append(answer.facts["numbers"])
        if not answer.cursor:
            break
        arguments = {**PAGE, "cursor": answer.cursor}
    assert numbers == [[1, 2], [3, 4], [5]]


@promise("B17")
@pytest.mark.parametrize("text", ["AAAA", "not a cursor", "A" * 60_000, "e30", "null"])
async def test_a_forged_cursor_is_refused(books: Server, text: str) -> None:
    answer = await books.call("ledger_list", {**PAGE, "cursor": text}, principal=ANN)
    assert answer.code in {"invalid_cursor", "invalid_argument"}
    assert "cursor" in answer.text
    assert "entry" not in answer.text


@promise("B17")
async def test_a_cursor_changed_in_any_byte_is_refused(books: Server) -> None:
    cursor = await _cursor(books)
    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for position in range(0, len(sealed), 7):
        changed = bytearray(sealed)
        changed[position] ^= 1
        text = base64.urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode()
        _refused(await books.call("ledger_list", {**PAGE, "cursor": text}, principal=ANN))


@promise("B17")
@promise("S15")
@pytest.mark.parametrize("other", [BEN, LOCAL, Principal(id="ann", method="jwt")], ids=["other", "local", "method"])
async def test_a_cursor_of_another_caller_is_refused(books: Server, other: Principal) -> None:
    cursor = await _cursor(books)
    _refused(await books.call("ledger_list", {**PAGE, "cursor": cursor}, principal=other))
    assert (await books.call("ledger_list", {**PAGE, "cursor": cursor}, principal=ANN)).facts["numbers"] == [3, 4]


@promise("B17")
@pytest.mark.parametrize(
    "changed", [{"limit": 3}, {"limit": 2, "search": "entry"}, {"limit": 2, "target": "branch"}, {}]
)
async def test_a_cursor_of_other_arguments_is_refused(books: Server, changed: dict[str, object]) -> None:
    cursor = await _cursor(books)
    _refused(await books.call("ledger_list", {**changed, "cursor": cursor}, principal=ANN))


@promise("B17")
async def test_a_cursor_of_another_tool_is_refused(books: Server) -> None:
    sealed_elsewhere = Sealer(books.app.keys, PURPOSE).seal({"after": 2}, binding=b"another tool", ttl=60)
    _refused(await books.call("ledger_list", {**PAGE, "cursor": sealed_elsewhere}, principal=ANN))


@promise("B17")
async def test_text_sealed_for_another_purpose_or_by_another_server_is_refused(books: Server, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    async with started(ledger_settings(tmp_path / "second", books={"main": 5, "branch": 5})) as second:
        foreign = await _cursor(second)
    _refused(await books.call("ledger_list", {**PAGE, "cursor": foreign}, principal=ANN))
    confirmation = Sealer(books.app.keys, "confirm").seal({"after": 2}, binding=b"", ttl=60)
    _refused(await books.call("ledger_list", {**PAGE, "cursor": confirmation}, principal=ANN))


@promise("B17")
async def test_an_expired_cursor_is_refused_as_expired(books: Server) -> None:
    now = [1_000_000.0]
    books.app.door._parts.cursors = Sealer(books.app.keys, PURPOSE, clock=lambda: now[0])
    cursor = await _cursor(books)
    now[0] += CURSOR_TTL_S - 2
    assert (await books.call("ledger_list", {**PAGE, "cursor": cursor}, principal=ANN)).code == ""
    now[0] += 3
    _refused(await books.call("ledger_list", {**PAGE, "cursor": cursor}, principal=ANN), "expired_cursor")


@promise("S15")
async def test_a_cursor_hides_what_is_in_it(books: Server) -> None:
    cursor = await _cursor(books)
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for word in (b"after", b"ann", b"ledger", b"main"):
        assert word not in raw


@promise("S15")
def test_a_cursor_of_one_api_key_does_not_open_for_another(tmp_path: Path) -> None:
    keys = {"ann": {"key": "ann-key-0123456789abc"}, "ben": {"key": "ben-key-0123456789abc"}}
    with served(ledger_settings(tmp_path, books={"main": 5}, auth={"api_keys": keys})) as server:
        first = post(server, modern_call("ledger_list", PAGE), path="/mcp", headers=_key("ann"))
        cursor = first.text.partition("cursor: ")[2].split()[0]
        message = modern_call("ledger_list", {**PAGE, "cursor": cursor})
        stolen = post(server, message, path="/mcp", headers=_key("ben"))
        assert stolen.last["result"]["isError"] is True
        assert stolen.text.startswith("invalid_cursor")
        own = post(server, message, path="/mcp", headers=_key("ann"))
        assert "entry 3" in own.text


def _key(name: str) -> dict[str, str]:
    return {"x-api-key": f"{name}-key-0123456789abc"}
