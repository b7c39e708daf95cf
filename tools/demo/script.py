"""What the demo's client asks, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

Arguments = dict[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One call: what somebody wants to know, and the tool call that answers it.

    ``refused`` marks the calls that show how a mistake is answered; every other call must succeed.
    """

    question: str
    tool: str
    arguments: Arguments = field(default_factory=dict[str, object])
    refused: bool = False


ANYWHERE: Final = (
    Step("Which clusters are there, and are they well?", "kubernetes_clusters", {"view": "health"}),
    Step("How many pods are in which state?", "kubernetes_list", {"kind": "pods", "count_by": ".status.phase"}),
    Step("What went wrong in the last hour?", "kubernetes_events", {"limit": 8}),
    Step("Who uses the most memory?", "kubernetes_top", {"by": "pods", "limit": 5}),
    Step("What may I do?", "kubernetes_access", {"view": "whoami"}),
    Step("A mistake: a misspelt argument", "kubernetes_list", {"kind": "pods", "namepsace": "default"}, refused=True),
)
"""Calls that make sense on any cluster."""

LAB: Final = (
    Step("Which clusters are there, and are they well?", "kubernetes_clusters", {"view": "health"}),
    Step("What runs in the shop?", "kubernetes_list", {"kind": "deployments,pods", "namespace": "shop"}),
    Step("What went wrong in the last hour?", "kubernetes_events", {"limit": 8}),
    Step(
        "Why does the payments worker crash?",
        "kubernetes_logs",
        {
            "kind": "deployment",
            "name": "worker",
            "namespace": "payments",
            "previous": True,
            "view": "errors",
        },
    ),
    Step("Is the rollout of checkout done?", "kubernetes_rollout", {"name": "checkout", "namespace": "shop"}),
    Step("Who is close to a limit?", "kubernetes_top", {"by": "pods", "show": "near_limit", "limit": 5}),
    Step(
        "A secret: keys, sizes and digests, never the value",
        "kubernetes_get",
        {
            "kind": "secret",
            "name": "db-credentials",
            "namespace": "shop",
        },
    ),
    Step("Which alerts fire?", "prometheus_rules", {"view": "alerts", "state": "firing"}),
    Step(
        "How busy was the API server?",
        "prometheus_query",
        {
            "query": "sum by (verb) (rate(apiserver_request_total[2m]))",
            "from": "now-15m",
            "limit": 6,
        },
    ),
    Step("A mistake: a misspelt argument", "kubernetes_list", {"kind": "pods", "namepsace": "shop"}, refused=True),
)
"""Calls about the scene of the lab."""
