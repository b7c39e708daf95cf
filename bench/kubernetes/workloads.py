"""What is asked of each server: the same question in each one's own words.

The Node server does not take part in lists of all pods: it fails on 2,059 of them (the buffer of its child overflows).
The Go server has no tool that describes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.kubernetes.cluster import LARGE, SMALL
from bench.kubernetes.peers import GO, NODE, OURS

if TYPE_CHECKING:
    from collections.abc import Mapping

Question = tuple[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One workload.

    Attributes:
        questions: tool and arguments by server; a server without a tool for it is not asked.
        share: calls a round, as a share of the run's, by server: the dear ones make fewer.
        limit: our processor time per call, as a share of the Go server's, that must not be exceeded.
        tokens: tokens (four bytes each) that our answer must not exceed.
    """

    questions: Mapping[str, Question]
    share: Mapping[str, float]
    limit: float
    tokens: int | None = None


SMALL_LIST: Final = "list the 59 pods of a namespace"
FIRST_PAGE: Final = "first page of all pods"
WHOLE_WALK: Final = "all pods, to the last cursor"


def workloads(pod: str) -> dict[str, Compared]:
    """The workloads by name.

    Args:
        pod: a pod of the small namespace, to get and to describe.
    """
    one: dict[str, object] = {"name": pod, "namespace": SMALL}
    node_one: dict[str, object] = {"resourceType": "pod", **one}
    return {
        SMALL_LIST: Compared(
            {
                OURS: ("kubernetes_list", {"kind": "pods", "namespace": SMALL, "limit": 100}),
                GO: ("pods_list_in_namespace", {"namespace": SMALL}),
                NODE: ("kubectl_get", {"resourceType": "pods", "namespace": SMALL}),
            },
            {OURS: 1, GO: 0.2, NODE: 0.1},
            limit=1 / 10,
            tokens=900,
        ),
        FIRST_PAGE: Compared(
            {
                OURS: ("kubernetes_list", {"kind": "pods", "namespace": LARGE}),
                GO: ("pods_list", {}),
            },
            {OURS: 1, GO: 0.02},
            limit=1 / 20,
        ),
        "get a pod as YAML": Compared(
            {
                OURS: ("kubernetes_get", {"kind": "pod", "view": "yaml", **one}),
                GO: ("pods_get", one),
                NODE: ("kubectl_get", {**node_one, "output": "yaml"}),
            },
            {OURS: 1, GO: 1, NODE: 0.1},
            limit=1 / 1.5,
        ),
        "events of a namespace": Compared(
            {
                OURS: ("kubernetes_events", {"namespace": SMALL}),
                GO: ("events_list", {"namespace": SMALL}),
                NODE: ("kubectl_get", {"resourceType": "events", "namespace": SMALL}),
            },
            {OURS: 1, GO: 0.1, NODE: 0.1},
            limit=1 / 4,
        ),
        "describe a pod": Compared(
            {
                OURS: ("kubernetes_get", {"kind": "pod", **one}),
                NODE: ("kubectl_describe", node_one),
            },
            {OURS: 1, NODE: 0.05},
            limit=1,
        ),
    }
