"""The client against answers that the current Prometheus does not give: older versions and compatible backends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_native_mcp.errors import BackendError
from tests.calls import desk
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.calls import Answer
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.server import FaultServer

OK: Mapping[str, object] = {"status": "success"}


def vector(count: int) -> dict[str, object]:
    """An instant answer of that many series."""
    found = [{"metric": {"n": str(number)}, "value": [1, str(number)]} for number in range(count)]
    return {**OK, "data": {"resultType": "vector", "result": found}}


def error(kind: str, text: str) -> dict[str, object]:
    """An error envelope."""
    return {"status": "error", "errorType": kind, "error": text}


async def ask(*script: Behaviour, **arguments: object) -> tuple[Answer, FaultServer]:
    """What a query answers when the backend behaves so."""
    async with (
        fault_server(*script) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        return await prometheus.ask("query", **{"query": "up", **arguments}), server


@pytest.mark.parametrize("compact", [True, False])
async def test_series_past_the_limit_are_counted_when_the_server_ignores_the_limit(*, compact: bool) -> None:
    """Prometheus up to 2.42 ignores ``limit``."""
    separators = (",", ":") if compact else None
    body = json.dumps(vector(1000), separators=separators).encode()
    shown, server = await ask(answer(body), limit=5)
    assert len(shown.rows) == 5
    assert "5 of 1000 series" in shown.text
    assert b"limit=6" in server.requests[0].body


async def test_a_query_is_tried_with_get_once_when_post_is_not_allowed() -> None:
    shown, server = await ask(answer(status=405), answer(vector(1)))
    assert shown.rows == [['{n="0"}', "0"]]
    assert [request.method for request in server.requests] == ["POST", "GET"]
    assert "query=up" in server.requests[1].target


async def test_discovery_is_tried_with_get_once_when_post_is_not_allowed() -> None:
    async with (
        fault_server(answer(status=405), answer({**OK, "data": [{"__name__": "up"}]})) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        shown = await prometheus.ask("find", what="series", match=["up"])
    assert shown.rows == [["up"]]
    assert [request.method for request in server.requests] == ["POST", "GET"]


@pytest.mark.parametrize("status", [200, 400])
async def test_an_error_envelope_is_an_error_whatever_its_status(status: int) -> None:
    with pytest.raises(BackendError, match="prometheus target main: query up: no such thing") as caught:
        await ask(answer(error("bad_data", "no such thing"), status=status))
    assert caught.value.code == "bad_query"


@pytest.mark.parametrize(
    ("kind", "text", "status", "code"),
    [
        ("execution", "query processing would load too many samples into memory", 422, "too_heavy"),
        ("execution", "expanding series: context deadline exceeded", 422, "too_heavy"),
        ("timeout", "query timed out in expression evaluation", 503, "too_heavy"),
        ("execution", "found duplicate series for the match group", 422, "bad_query"),
        ("not_found", "nothing here", 404, "not_found"),
        ("internal", "broken", 500, "backend_error"),
        ("unavailable", "TSDB not ready", 503, "backend_error"),
        ("too_many_requests", "slow down", 429, "throttled"),
        ("forbidden", "no tenant", 403, "forbidden"),
        ("unauthorized", "who are you", 401, "unauthorized"),
        ("teapot", "short and stout", 418, "rejected"),
    ],
)
async def test_each_kind_of_error_has_its_code(kind: str, text: str, status: int, code: str) -> None:
    with pytest.raises(BackendError) as caught:
        await ask(answer(error(kind, text), status=status))
    assert caught.value.code == code
    assert caught.value.status == status
    assert text in caught.value.text
    assert "errorType" not in caught.value.text, "the words, not the envelope"


async def test_credentials_in_an_error_are_masked() -> None:
    said = "Get http://user:hunter2@10.0.0.1/read?token=abcdef: Bearer abcdef0123456789XY refused"
    with pytest.raises(BackendError) as caught:
        await ask(answer(error("internal", said), status=500))
    assert "hunter2" not in caught.value.text
    assert "abcdef" not in caught.value.text


async def test_warnings_of_a_distributed_backend_make_the_answer_partial() -> None:
    """Thanos and Mimir answer ``warnings`` for stores that failed; the limit's own warning says nothing."""
    body = {**vector(2), "warnings": ["results truncated due to limit", "store a failed", "PromQL warning: odd"]}
    shown, _ = await ask(answer({**body, "infos": ["PromQL info: metric might not be a counter"]}))
    assert shown.result.partial == ["main: store a failed"]
    assert "warning: PromQL warning: odd\ninfo: PromQL info: metric might not be a counter" in shown.text
    assert "2 of at least 2 series" in shown.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"val',
        b'{"status":"success","data":{"resultType":"vec',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}',
        b'{"status":"success"}',
        b"{}",
        b"[]",
    ],
)
async def test_an_answer_that_is_cut_or_of_another_form_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BackendError, match="prometheus target main: query up") as caught:
        await ask(answer(body))
    assert caught.value.code == "bad_answer"


async def test_an_answer_that_cannot_be_split_is_not_collected_without_bound() -> None:
    body = b'{"status":"success","data":{"resultType":"vector","result":[' + b" " * 3_200_000
    with pytest.raises(BackendError, match="cannot be read in parts"):
        await ask(answer(body))


async def test_targets_in_another_form_are_a_bad_answer_not_an_empty_list() -> None:
    data: dict[str, object] = {"activeTargets": [{"health": "up", "discoveredLabels": {}}], "droppedTargets": []}
    async with (
        fault_server(answer({**OK, "data": data})) as server,
        desk("prometheus", {"targets": {"main": {"url": server.url}}}) as prometheus,
    ):
        with pytest.raises(BackendError, match="not of the expected form"):
            await prometheus.ask("targets")


async def test_the_time_left_is_told_to_the_backend() -> None:
    _, server = await ask(answer(vector(1)), timeout="5s")
    assert b"timeout=5.000" in server.requests[0].body


async def test_a_tenant_and_credentials_are_sent_as_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANT_TOKEN", "tenant-secret")
    seen: list[Mapping[str, str]] = []
    targets: dict[str, dict[str, Any]] = {
        "bearer": {"auth": {"token": "env:TENANT_TOKEN"}, "headers": {"X-Scope-OrgID": "team-a"}},
        "basic": {"auth": {"username": "me", "password": "env:TENANT_TOKEN"}},
    }
    async with fault_server(answer(vector(1))) as server:
        config = {"targets": {name: {"url": f"{server.url}/prefix", **target} for name, target in targets.items()}}
        async with desk("prometheus", config) as prometheus:
            for name in targets:
                await prometheus.ask("query", query="up", target=name)
        seen = [request.headers for request in server.requests]
        assert {request.path for request in server.requests} == {"/prefix/api/v1/query"}
    assert seen[0]["authorization"] == "Bearer tenant-secret"
    assert seen[0]["x-scope-orgid"] == "team-a"
    assert seen[1]["authorization"] == "Basic bWU6dGVuYW50LXNlY3JldA=="
