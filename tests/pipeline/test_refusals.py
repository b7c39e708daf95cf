"""Where a call is refused, and that the audit says so: one case for each stage of the chain."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.pipeline import CALL_CHAIN
from cloud_native_mcp.routing.request import AGGREGATE
from tests.promises import promise
from tests.samples.ledger.service import SHOP_TOKEN
from tests.server_fixtures import ALL_EFFECTS, Server, ledger_settings, started
from tests.transport.wire import Json, legacy_call, modern_call, post

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.server_fixtures import Served

STACK = re.compile(r"Traceback|File \"|\.py\b|line \d+|/site-packages|/home/|/tmp/|/root/")


async def test_every_refusal_is_audited_with_its_stage_and_code(reading: Server) -> None:
    refused: list[tuple[str, Json, str, str]] = [
        ("ledger_nosuch", {}, "resolve", "unknown_tool"),
        ("ledger_list", {"limit": 0}, "validate", "invalid_argument"),
        ("ledger_list", {"target": "nosuch"}, "validate", "invalid_argument"),
        ("ledger_add", {"what": "x"}, "authorise", "effect_not_allowed"),
        ("ledger_fail", {"how": "argument"}, "act", "invalid_argument"),
        ("ledger_fail", {"how": "backend"}, "act", "backend_error"),
        ("ledger_fail", {"how": "unreachable"}, "act", "unreachable"),
    ]
    for tool, arguments, stage, code in refused:
        answer = await reading.call(tool, arguments)
        assert answer.code == code
        assert (answer.record["stage"], answer.record["code"]) == (stage, code)
        assert answer.record["outcome"] == ("failed" if stage == "act" else "refused")
        assert (answer.record["principal"], answer.record["door"]) == ("local", "cli")
        assert answer.record["phase"] == "end"
    assert (await reading.call("ledger_list")).record["outcome"] == "ok"


def test_the_chain_is_in_the_order_that_refuses_early() -> None:
    names = [name for name, _ in CALL_CHAIN]
    assert names == ["record", "resolve", "validate", "authorise", "begin", "admit", "shape", "alive", "act"]


async def test_a_service_that_does_not_run_any_more_is_refused_before_it_acts(reading: Server) -> None:
    cast("dict[str, object]", reading.app.manager.running).pop("ledger")
    answer = await reading.call("ledger_list")
    assert (answer.code, answer.record["stage"]) == ("service_unavailable", "alive")


@promise("B6")
async def test_absent_disabled_and_misplaced_tools_get_one_text(reading: Server) -> None:
    texts: set[str] = set()
    for endpoint, tool in (
        (AGGREGATE, "ledger_nosuch"),
        (AGGREGATE, "utilities_time"),
        (AGGREGATE, "kubernetes_list"),
        ("ledger", "utilities_time"),
    ):
        answer = await reading.call(tool, endpoint=endpoint)
        assert answer.code == "unknown_tool"
        texts.add(answer.text.replace(tool, "TOOL"))
    assert len(texts) == 1


@promise("B6")
def test_clients_cannot_tell_an_absent_tool_from_one_of_a_disabled_service(reading_http: Served) -> None:
    for form in (modern_call, legacy_call):
        answers = [post(reading_http, form(tool), path="/mcp") for tool in ("ledger_nosuch", "utilities_time")]
        assert [answer.code for answer in answers] == [-32602, -32602]
        assert answers[0].last["error"]["message"] == answers[1].last["error"]["message"] == "unknown tool"
    assert post(reading_http, modern_call("utilities_time"), path="/api/utilities/streamable-http").status == 404


@promise("B8")
@promise("B9")
async def test_wrong_arguments_are_named_all_at_once_and_the_backend_is_not_called(reading: Server) -> None:
    reading.ledger.books["main"].down = True
    answer = await reading.call("ledger_list", {"serach": "x", "limit": 1_000_000_000})
    assert answer.code == "invalid_argument"
    assert "did you mean search?" in answer.text
    assert "limit: must be 1 to 500" in answer.text


async def test_the_only_target_may_be_named_and_any_other_is_refused_with_what_there_is(reading: Server) -> None:
    assert (await reading.call("ledger_list", {"target": "main"})).record["targets"] == ["main"]
    assert (await reading.call("ledger_list", {"target": None})).record["targets"] == ["main"]
    refused = await reading.call("ledger_list", {"target": "mian"})
    assert refused.text.startswith("invalid_argument: target: ")
    assert "did you mean main?" in refused.text


@promise("S12")
async def test_a_target_is_a_configured_name_and_never_an_address(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path, books={"main": 1, "branch": 2})) as server:
        assert "ledger branch" in (await server.call("ledger_list", {"target": "branch"})).text
        for address in ("http://127.0.0.1:1/", "127.0.0.1:1", "branch@127.0.0.1", "../branch", "*", 7, ["branch"]):
            answer = await server.call("ledger_list", {"target": address})
            assert answer.code == "invalid_argument"
            assert answer.text.startswith("invalid_argument: target: ")


async def test_arguments_can_raise_the_effect_of_a_call_above_what_is_allowed(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path, effects=("read", "write"))) as server:
        assert (await server.call("ledger_add", {"what": "x"})).record["effect"] == "write"
        refused = await server.call("ledger_add", {"what": "y", "replace": True})
        assert refused.code == "effect_not_allowed"
        assert "would destroy" in refused.text
        assert len(server.ledger.books["main"].entries) == 4


async def test_a_fault_of_the_server_tells_a_request_id_and_nothing_else(
    reading: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await reading.call("ledger_fail", {"how": "fault"}, request_id="7e57")
    assert answer.code == "internal"
    assert "request 7e57" in answer.text
    assert SHOP_TOKEN not in answer.text
    assert "RuntimeError" not in answer.text
    assert not STACK.search(answer.text)
    assert (answer.record["outcome"], answer.record["code"], answer.record["request"]) == ("failed", "internal", "7e57")
    assert SHOP_TOKEN not in reading.audit.read_text("utf-8")
    faults = [record for record in caplog.records if record.exc_info]
    assert len(faults) == 1


async def test_secrets_and_escapes_in_answers_are_masked(reading: Server) -> None:
    answer = await reading.call("ledger_secret")
    assert SHOP_TOKEN not in answer.text
    assert "\x1b" not in answer.text
    assert answer.text.count("</untrusted>") == 1


async def test_secrets_in_errors_are_masked(reading: Server) -> None:
    answer = await reading.call("ledger_fail", {"how": "leak"})
    assert answer.code == "rejected"
    assert "***" in answer.text
    assert SHOP_TOKEN not in answer.text


async def test_an_endpoint_of_one_service_has_its_own_tools_only(tmp_path: Path) -> None:
    settings = ledger_settings(tmp_path, effects=ALL_EFFECTS, utilities={"enabled": True})
    async with started(settings) as server:
        names = {str(tool["name"]) for tool in server.app.door.list_tools("ledger", LOCAL).tools}
        assert all(name.startswith("ledger_") for name in names)
        assert (await server.call("utilities_time", endpoint="ledger")).code == "unknown_tool"
        assert (await server.call("utilities_time", endpoint="utilities")).code == ""
