"""What the demo's client asks, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lab.scene import BASIC_AUTH_SECRET, CRASH_LOOP, PAYMENTS, STUCK_ROLLOUT

if TYPE_CHECKING:
    from lab.scene import Role

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


def _place(role: Role) -> Arguments:
    return {"name": role.name, "namespace": role.namespace}


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
    Step("What runs in payments?", "kubernetes_list", {"kind": "deployments,pods", "namespace": PAYMENTS}),
    Step("What went wrong there in the last hour?", "kubernetes_events", {"namespace": PAYMENTS, "limit": 8}),
    Step(
        f"Why does {CRASH_LOOP.name} crash?",
        "kubernetes_logs",
        {"kind": "deployment", **_place(CRASH_LOOP), "previous": True, "view": "errors"},
    ),
    Step(f"Is the rollout of {STUCK_ROLLOUT.name} done?", "kubernetes_rollout", _place(STUCK_ROLLOUT)),
    Step("Who is close to a limit?", "kubernetes_top", {"by": "pods", "show": "near_limit", "limit": 5}),
    Step(
        "A secret: keys, sizes and digests, never the value",
        "kubernetes_get",
        {"kind": "secret", **_place(BASIC_AUTH_SECRET)},
    ),
    Step("Which alerts fire?", "prometheus_rules", {"view": "alerts", "state": "firing"}),
    Step(
        "How busy was the API server?",
        "prometheus_query",
        {"query": "sum by (verb) (rate(apiserver_request_total[2m]))", "from": "now-15m", "limit": 6},
    ),
    Step("A mistake: a misspelt argument", "kubernetes_list", {"kind": "pods", "namepsace": PAYMENTS}, refused=True),
)
"""Calls about the scene of the lab."""
