"""A fence, or the rights of a caller, around every tool that talks to an API server: all pass the one last hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.json_values import as_dict
from tests.every_tool.arguments import USUAL, plain
from tests.every_tool.conftest import ALLOWED_NAMESPACE
from tools.lists import catalogue

if TYPE_CHECKING:
    from tests.every_tool.conftest import Scripted

CLUSTER_TOOLS = {
    entry.name: entry for entry in catalogue() if entry.service in {"kubernetes", "helm"} and entry.tool.has_target
}
TELL_OF_NO_OBJECT = (
    "/openapi",
    "/version",
    "/readyz",
    "/livez",
    "/apis/authorization.k8s.io",
    "/apis/authentication.k8s.io",
)
NEED_NO_OBJECT = {"kubernetes_explain", "kubernetes_access", "kubernetes_clusters", "helm_template"}
"""They ask for kinds, documents, rights, and for the version first."""


def outside(path: str) -> bool:
    """Whether a path leads to objects outside the fence."""
    if path.startswith(TELL_OF_NO_OBJECT):
        return False
    return not f"{path}/".partition(f"/namespaces/{ALLOWED_NAMESPACE}/")[1]


@pytest.mark.parametrize("tool", sorted(CLUSTER_TOOLS))
async def test_nothing_beyond_the_fence_is_sent_whatever_the_arguments(fenced: Scripted, tool: str) -> None:
    properties = as_dict(CLUSTER_TOOLS[tool].schema["properties"])
    usual = {**plain(CLUSTER_TOOLS[tool].schema), **USUAL.get(tool, {})}
    asked = [usual, {name: value for name, value in usual.items() if name != "namespace"}]
    if "namespace" in properties:
        asked += [usual | {"namespace": "other"}, usual | {"namespace": ALLOWED_NAMESPACE}]
    if "kind" in properties:
        asked += [usual | {"kind": kind} for kind in ("node", "secret", "pods")]
    for arguments in asked:
        fenced.desk.inspect(await fenced.desk.ask(tool, arguments))
    assert [path for path in fenced.asked() if outside(path)] == []


@pytest.mark.parametrize("tool", sorted(CLUSTER_TOOLS))
async def test_without_a_fence_the_same_calls_reach_further(scripted: Scripted, tool: str) -> None:
    usual = {**plain(CLUSTER_TOOLS[tool].schema), **USUAL.get(tool, {})}
    scripted.desk.inspect(await scripted.desk.ask(tool, usual))
    assert [path for path in scripted.asked() if outside(path)] or tool in NEED_NO_OBJECT
