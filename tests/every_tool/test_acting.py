"""Clusters that are asked as the caller: every request of every tool says who that is, and nothing else does."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.contract.principal import ANONYMOUS, LOCAL, Principal
from tests.every_tool.arguments import USUAL, plain
from tests.every_tool.conftest import DISCOVERY
from tests.every_tool.test_fence import CLUSTER_TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.every_tool.conftest import Scripted
    from tests.fault_server.wire import Request

ALICE = Principal("alice", "jwt", groups=("team-a", "system:masters", "staff", "team-b"))
BOB = Principal("bob", "api_key", groups=("team-c",))
HEADERS = {
    "alice": {"impersonate-user": "mcp:alice", "impersonate-group": "mcp:team-a, mcp:team-b"},
    "bob": {"impersonate-user": "mcp:bob", "impersonate-group": "mcp:team-c"},
}
ASK_NO_OBJECT = {"helm_template", "kubernetes_explain"}
"""A preview of a chart reads no cluster; a document of a kind needs discovery alone."""


def acting(request: Request) -> Mapping[str, str]:
    """What a request says about whom it is for."""
    return {name: value for name, value in request.headers.items() if name.startswith(("impersonate", "x-remote"))}


def usual(tool: str) -> dict[str, object]:
    return {**plain(CLUSTER_TOOLS[tool].schema), **USUAL.get(tool, {})}


@pytest.mark.parametrize("tool", sorted(CLUSTER_TOOLS))
async def test_every_request_says_for_whom_it_is(acting_clusters: Scripted, tool: str) -> None:
    properties = as_dict(CLUSTER_TOOLS[tool].schema["properties"])
    asked = [usual(tool)]
    if "kind" in properties:
        asked += [usual(tool) | {"kind": kind} for kind in ("node", "secret", "pods")]
    for caller, arguments in itertools.product((ALICE, BOB, ALICE), asked):
        desk = replace(acting_clusters.desk, caller=caller)
        before = len(acting_clusters.server.requests)
        desk.inspect(await desk.ask(tool, arguments))
        sent = [one for one in acting_clusters.server.requests[before:] if one.path not in DISCOVERY]
        assert [acting(one) for one in sent] == [HEADERS[caller.id]] * len(sent)
    kinds = [one for one in acting_clusters.server.requests if one.path in DISCOVERY]
    assert [acting(one) for one in kinds] == [{}] * len(kinds)
    assert len(acting_clusters.asked()) >= 3 or tool in ASK_NO_OBJECT


@pytest.mark.parametrize("tool", sorted(CLUSTER_TOOLS))
@pytest.mark.parametrize("caller", [ANONYMOUS, LOCAL, Principal("a\nb", "jwt")], ids=lambda one: one.id)
async def test_nothing_is_sent_for_a_caller_who_is_no_user_there(
    acting_clusters: Scripted, tool: str, caller: Principal
) -> None:
    desk = replace(acting_clusters.desk, caller=caller)
    told = await desk.ask(tool, usual(tool))
    desk.inspect(told)
    assert [one.path for one in acting_clusters.server.requests if one.path not in DISCOVERY] == []
    if tool not in ASK_NO_OBJECT:
        assert "denied_by_policy" in (told.code, *told.text.split(": "))
        assert "targets.away.impersonate; nothing was sent" in told.text
