"""Nodes that do not take or run pods.

Source: https://kubernetes.io/docs/reference/node/node-status/#condition
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Condition  # noqa: TC001 - read when structs are decoded
from cloud_native_mcp.services.kubernetes.diagnosis.survey import PODS
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

_PRESSURES: Final = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure"})


class _Taint(msgspec.Struct, gc=False):
    key: str = ""
    effect: str = ""


class _Spec(msgspec.Struct, gc=False):
    unschedulable: bool = False
    taints: list[_Taint] | None = None


class _Status(msgspec.Struct, gc=False):
    conditions: list[Condition] = []


class Node(msgspec.Struct, gc=False):
    """A node."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


NODES: Final = Kind("", "Node", Node)


async def nodes(survey: Survey) -> list[Finding]:
    """Nodes that are not ready, under pressure, or cordoned; with the pods on them."""
    found: list[Finding] = []
    held: Counter[str] = Counter()
    some = await survey.reader.objects(NODES)
    async for pod in unhurried(await survey.reader.optional(PODS, "nodes")):
        held[pod.spec.node_name] += 1
    async for node in unhurried(some):
        found += node_findings(node, held[node.metadata.name])
    return found


def node_findings(node: Node, pods: int) -> Iterator[Finding]:
    """What is wrong with a node that holds so many pods."""
    ref = Ref("Node", "", node.metadata.name)
    for one in node.status.conditions:
        if one.type == "Ready":
            if one.status != "True":
                yield _not_ready(ref, one, pods)
        elif one.status == "True":
            code = "node_pressure" if one.type in _PRESSURES else "node_problem"
            cause = f"{one.type}; pods on it: {pods}"
            evidence = f"status.conditions[{one.type}]: {one.reason}: {one.message}"
            call = tool_call("top", by="nodes") if code == "node_pressure" else look_at(ref)
            yield Finding("warning", code, ref, cause, evidence, call, one.since, max(pods, 1))
    if node.spec.unschedulable:
        yield Finding("info", "cordoned", ref, "it takes no new pods", "spec.unschedulable: true", look_at(ref))
    if taints := _taints(node.spec.taints or ()):
        yield Finding("info", "tainted", ref, "it takes only pods that tolerate its taints", taints, look_at(ref))


def _not_ready(ref: Ref, ready: Condition, pods: int) -> Finding:
    cause = "its kubelet does not report" if ready.status == "Unknown" else "its kubelet says it cannot run pods"
    evidence = f"status.conditions[Ready]: {ready.reason}: {ready.message}"
    words = f"{cause}; pods on it: {pods}"
    return Finding("critical", "node_not_ready", ref, words, evidence, look_at(ref), ready.since, max(pods, 1))


def _taints(taints: Sequence[_Taint]) -> str:
    """The taints that somebody set; those of Kubernetes itself repeat a condition."""
    own = [one for one in taints if not one.key.startswith("node.kubernetes.io/")]
    return ", ".join(f"{one.key}:{one.effect}" for one in own)
