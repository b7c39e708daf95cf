"""Who calls over HTTP: API keys, a rate for each caller, and the audit of those who are turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.promises import promise
from tests.server_fixtures import KEY, OTHER_KEY, Served, ledger_settings, served
from tests.transport.wire import Json, get, legacy_call, modern_call, post, request

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_native_mcp.config.settings import Settings

AUTH: Json = {"api_keys": {"tester": {"key": KEY}, "other": {"key": OTHER_KEY}}}


def _with_keys(folder: Path, *, ratelimit: Json | None = None) -> Settings:
    return ledger_settings(folder, auth=AUTH, ratelimit=ratelimit or {})


def _ask(server: Served, key: str, *, message: Json | None = None) -> int:
    return post(server, message or modern_call("ledger_list"), path="/mcp", headers={"x-api-key": key}).status


def test_only_a_configured_key_gets_in_and_its_id_is_what_the_audit_shows(tmp_path: Path) -> None:
    with served(_with_keys(tmp_path)) as server:
        for form in (modern_call, legacy_call):
            for headers in ({}, {"x-api-key": "wrong-key-0123456789"}, {"authorization": f"Bearer {KEY}x"}):
                refused = post(server, form("ledger_list"), path="/mcp", headers=headers)
                assert refused.status == 401
                assert "www-authenticate" in refused.headers
        for headers in ({"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}):
            assert post(server, modern_call("ledger_list"), path="/mcp", headers=headers).status == 200
        calls = server.stored(lambda line: line.get("tool") == "ledger_list", at_least=2)
        assert {(line["principal"], line["method"]) for line in calls} == {("tester", "api_key")}
        turned_away = server.stored(lambda line: line.get("stage") == "auth", at_least=6)
        assert {(line["outcome"], line.get("principal")) for line in turned_away} == {("refused", None)}
        text = server.audit.read_text("utf-8")
    assert KEY not in text
    assert "wrong-key" not in text


def test_probes_are_open_and_the_rest_is_not(tmp_path: Path) -> None:
    with served(_with_keys(tmp_path)) as server:
        assert [get(server, path).status for path in ("/livez", "/readyz", "/health")] == [200, 200, 200]
        assert get(server, "/health?detail").status == 401
        assert get(server, "/metrics").status == 401
        assert get(server, "/metrics", {"x-api-key": KEY}).status == 200


def test_a_caller_that_asks_too_often_waits_while_others_are_served(tmp_path: Path) -> None:
    limits = {"requests_per_second": 0.001, "burst": 3}
    with served(_with_keys(tmp_path, ratelimit=limits)) as server:
        assert [_ask(server, KEY) for _ in range(4)] == [200, 200, 200, 429]
        refused = post(server, request("tools/list"), path="/mcp", headers={"x-api-key": KEY})
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert _ask(server, OTHER_KEY) == 200
        told = server.stored(lambda line: line.get("stage") == "rate")
    assert [(line["principal"], line["outcome"], line["code"]) for line in told] == [("tester", "refused", "throttled")]


def test_calls_are_counted_by_tool_and_outcome_without_names_of_callers_choice(tmp_path: Path) -> None:
    with served(_with_keys(tmp_path)) as server:
        _ask(server, KEY)
        _ask(server, KEY, message=modern_call("ledger_add", {"what": "x"}))
        _ask(server, KEY, message=legacy_call("ledger_made_up_by_the_caller"))
        page = get(server, "/metrics", {"x-api-key": KEY}).body.decode()
    assert 'outcome="ok"' in page
    assert 'tool="ledger_list"' in page
    assert 'outcome="refused"' in page
    assert "made_up" not in page
    assert "tester" not in page


@promise("S12")
def test_headers_of_a_caller_change_nothing_of_where_a_call_goes(tmp_path: Path) -> None:
    headers = {
        "x-target": "http://127.0.0.1:1",
        "x-backend-url": "http://127.0.0.1:1",
        "x-kubeconfig": "/etc/passwd",
        "x-forwarded-for": "8.8.8.8",
        "forwarded": "for=8.8.8.8;host=evil.example",
    }
    with served(ledger_settings(tmp_path)) as server:
        plain = post(server, modern_call("ledger_list"), path="/mcp")
        dressed = post(server, modern_call("ledger_list"), path="/mcp", headers=headers)
        assert dressed.body == plain.body
        lines = server.stored(lambda line: line.get("tool") == "ledger_list", at_least=2)
    assert {line["peer"] for line in lines} == {"127.0.0.1"}
