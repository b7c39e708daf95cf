"""Cursors of the tools that give pages: whose they are, and what they open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import Principal
from lab import scene
from tests.promises import promise
from tests.services.kubernetes.clusters import Counter, clusters, error_of

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Desk

PAGED: dict[str, dict[str, object]] = {
    "list": {"kind": "pods", "limit": 3},
    "events": {"since": "20d", "type": "all", "limit": 3},
    "access": {"view": "who_can", "verb": "get", "resource": "pods", "limit": 2},
}


@pytest.mark.parametrize("tool", PAGED)
async def test_a_cursor_goes_on_where_the_answer_ended(cluster: Desk, tool: str) -> None:
    first = await cluster.ask(tool, **PAGED[tool])
    second = await cluster.ask(tool, **PAGED[tool], cursor=first.cursor)
    assert first.rows
    assert second.rows
    assert not {tuple(row) for row in first.rows} & {tuple(row) for row in second.rows}


@promise("B17")
@promise("S15")
@pytest.mark.parametrize("tool", PAGED)
async def test_a_cursor_of_somebody_else_is_refused_before_anything_is_sent(lab: LabEnv, tool: str) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        mine = await desk.ask(tool, **PAGED[tool])
        other = replace(desk, caller=Principal(id="other", method="api_key"))
        counter.outcomes.clear()
        error = await error_of(other.ask(tool, **PAGED[tool], cursor=mine.cursor))
    assert error.code == "invalid_cursor"
    assert "list again" in error.text
    assert "200" not in counter.outcomes or tool == "access"  # its kind was resolved, its rules were not read


@promise("B17")
@pytest.mark.parametrize("tool", PAGED)
async def test_a_cursor_of_another_tool_or_of_other_arguments_is_refused(cluster: Desk, tool: str) -> None:
    for other in set(PAGED) - {tool}:
        foreign = await cluster.ask(other, **PAGED[other])
        assert (await error_of(cluster.ask(tool, **PAGED[tool], cursor=foreign.cursor))).code == "invalid_cursor"
    mine = await cluster.ask(tool, **PAGED[tool])
    for changed in ({"limit": 50}, {"namespace": scene.SHOP}):
        error = await error_of(cluster.ask(tool, **{**PAGED[tool], **changed}, cursor=mine.cursor))
        assert error.code == "invalid_cursor"


@promise("B17")
@pytest.mark.parametrize("cursor", ["", "x", "A" * 400, "../../etc/passwd", '{"offset": 0}'])
async def test_what_is_no_cursor_is_refused_or_none(cluster: Desk, cursor: str) -> None:
    if not cursor:
        assert (await cluster.ask("list", kind="pods", limit=1, cursor="")).rows
        return
    assert (await error_of(cluster.ask("list", kind="pods", limit=1, cursor=cursor))).code == "invalid_cursor"


@promise("B17")
async def test_a_cursor_for_kinds_that_are_gone_is_refused(lab: LabEnv) -> None:
    async with clusters(a=lab.kubeconfig_admin) as desk:
        whole = await desk.ask("list", kind="deploy,svc", limit=1)
        error = await error_of(desk.ask("list", kind="deploy", limit=1, cursor=whole.cursor))
    assert error.code == "invalid_cursor"


@promise("S15")
async def test_what_one_identity_may_read_is_not_answered_to_another(lab: LabEnv) -> None:
    async with clusters(admin=lab.kubeconfig_admin, nobody=lab.kubeconfig_nobody) as desk:
        assert (await desk.ask("list", kind="secrets", target="admin")).rows
        assert (await error_of(desk.ask("list", kind="secrets", target="nobody"))).code == "forbidden"
        assert (await desk.ask("get", kind="pod", name="toolbox", namespace=scene.SHOP, target="admin")).text
        refused = await error_of(desk.ask("get", kind="pod", name="toolbox", namespace=scene.SHOP, target="nobody"))
    assert refused.code == "forbidden"
