"""The audit over HTTP, for those whose role lets them read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server_fixtures import KEY, OTHER_KEY, Served, ledger_settings, served
from tests.transport.serving import eventually
from tests.transport.wire import exchange, legacy_call, post

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

AUTH = {"api_keys": {"tester": {"key": KEY, "groups": ["security"]}, "other": {"key": OTHER_KEY}}}
ROLES: dict[str, Any] = {
    "default": ["viewer"],
    "roles": {"auditor": {"audit": True}},
    "bindings": [{"roles": ["auditor", "viewer"], "groups": ["security"]}],
}


def flags(folder: Path) -> dict[str, Any]:
    return {"auth": AUTH, "permissions": ROLES, "audit": {"database": str(folder / "audit.db")}}


@pytest.fixture
def server(tmp_path: Path) -> Generator[Served]:
    with served(ledger_settings(tmp_path, **flags(tmp_path))) as server:
        yield server


def ask(server: Served, path: str, *, key: str = KEY, method: str = "GET") -> tuple[int, dict[str, Any]]:
    answer = exchange(server, method, path, headers={"X-API-Key": key} if key else {})
    found: dict[str, Any] = json.loads(answer.body or b"{}")
    return answer.status, found


def called(server: Served, tool: str, *, key: str = OTHER_KEY) -> None:
    post(server, legacy_call(tool, {}), path="/mcp", headers={"X-API-Key": key})


def recorded(server: Served, count: int) -> None:
    """Wait until the database holds so many calls."""
    assert eventually(lambda: ask(server, "/api/audit/stats?tool=ledger_list")[1]["total"] == count)


def test_who_may_read_the_audit_sees_what_others_did(server: Served) -> None:
    for _ in range(3):
        called(server, "ledger_list")
    called(server, "ledger_list", key=KEY)
    recorded(server, 4)
    status, found = ask(server, "/api/audit/logs?principal=other&tool=ledger_*&limit=2&from=now-1h")
    assert status == 200
    assert [one["principal"] for one in found["records"]] == ["other", "other"]
    status, rest = ask(server, f"/api/audit/logs?principal=other&tool=ledger_*&limit=2&cursor={found['cursor']}")
    assert (len(rest["records"]), rest["cursor"]) == (1, None)
    status, counted = ask(server, "/api/audit/stats?tool=ledger_list")
    assert (status, counted["by"]["principal"]) == (200, {"other": 3, "tester": 1})


def test_who_may_not_is_refused_and_both_are_recorded(server: Served) -> None:
    assert ask(server, "/api/audit/logs", key=OTHER_KEY)[0] == 403
    assert ask(server, "/api/audit/stats", key="")[0] == 401
    assert ask(server, "/api/audit/logs")[0] == 200
    lines = server.stored(lambda line: line.get("endpoint") == "/api/audit/logs", at_least=2)
    told = {(line["principal"], line["outcome"]) for line in lines if "principal" in line}
    assert told == {("other", "refused"), ("tester", "ok")}


@pytest.mark.parametrize("query", ["tol=x", "limit=0", "from=gestern", "outcome=good", "cursor=abc"])
def test_a_wrong_question_is_told(server: Served, query: str) -> None:
    status, problem = ask(server, f"/api/audit/logs?{query}")
    assert status == 400
    assert query.partition("=")[0] in problem["detail"]


def test_only_get_is_answered(server: Served) -> None:
    assert ask(server, "/api/audit/logs", method="DELETE")[0] == 405


def test_without_a_database_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with served(ledger_settings(tmp_path, auth=AUTH, permissions=ROLES)) as server:
        assert ask(server, "/api/audit/logs")[0] == 404


def test_without_roles_nobody_reads_what_others_did(tmp_path: Path) -> None:
    settings = ledger_settings(tmp_path, auth=AUTH, audit={"database": str(tmp_path / "audit.db")})
    with served(settings) as server:
        assert ask(server, "/api/audit/logs")[0] == 403
