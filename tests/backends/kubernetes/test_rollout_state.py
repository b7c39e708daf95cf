"""The state of rollouts, by the rules of kubectl rollout status."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_native_mcp.backends.kubernetes.rollout_state import state_of


def workload(spec: Any = None, *, generation: Any = 2, **status: Any) -> dict[str, object]:
    """A workload whose controller has seen its specification unless told otherwise."""
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": 3, **(spec or {})},
        "status": {"observedGeneration": 2, **status},
    }


DONE = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
EXCEEDED = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]
FAILING = [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]


@pytest.mark.parametrize(
    ("deployment", "phase", "words"),
    [
        (workload(**DONE), "done", "3 of 3"),
        (workload({"paused": True}, **DONE), "paused", "resumed"),
        (workload(generation=3, **DONE), "progressing", "generation 2, not yet 3"),
        (workload(**DONE, conditions=EXCEEDED), "stuck", "timed out"),
        (workload(**DONE, conditions=EXCEEDED + FAILING), "stuck", "exceeded quota"),
        (workload(conditions=FAILING), "stuck", "cannot be created"),
        (workload(**{**DONE, "updatedReplicas": 1}), "progressing", "1 of 3 pods updated"),
        (workload(**{**DONE, "replicas": 5}), "progressing", "2 old pods"),
        (workload(**{**DONE, "availableReplicas": 2}), "progressing", "2 of 3 updated pods available"),
        (workload({"replicas": 0}), "done", "0 of 0"),
    ],
)
def test_a_deployment_is_done_goes_on_or_is_stuck(deployment: dict[str, object], phase: str, words: str) -> None:
    state = state_of("Deployment", deployment)
    assert state.phase == phase
    assert words in state.sentence


SAME = {"currentRevision": "db-1", "updateRevision": "db-1"}
OTHER = {"currentRevision": "db-1", "updateRevision": "db-2"}


@pytest.mark.parametrize(
    ("stateful_set", "phase", "words"),
    [
        (workload(**DONE, **SAME), "done", "at db-1"),
        (workload(**DONE, **OTHER), "progressing", "updated"),
        (workload(**{**DONE, "readyReplicas": 1}, **SAME), "progressing", "1 of 3 pods ready"),
        (workload({"updateStrategy": {"type": "OnDelete"}}, **DONE, **OTHER), "done", "OnDelete"),
        (
            workload({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, **{**DONE, "updatedReplicas": 1}),
            "done",
            "partition 2",
        ),
        (
            workload({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, **{**DONE, "updatedReplicas": 1}),
            "progressing",
            "1 of 2",
        ),
        (workload(generation=9, **DONE, **SAME), "progressing", "not yet 9"),
    ],
)
def test_a_stateful_set_is_done_or_goes_on(stateful_set: dict[str, object], phase: str, words: str) -> None:
    state = state_of("StatefulSet", stateful_set)
    assert state.phase == phase
    assert words in state.sentence


@pytest.mark.parametrize(
    ("desired", "updated", "available", "phase"),
    [(5, 5, 5, "done"), (5, 2, 5, "progressing"), (5, 5, 4, "progressing"), (0, 0, 0, "done")],
)
def test_a_daemon_set_is_done_when_all_its_pods_are_updated_and_available(
    desired: int, updated: int, available: int, phase: str
) -> None:
    status = {"desiredNumberScheduled": desired, "updatedNumberScheduled": updated, "numberAvailable": available}
    assert state_of("DaemonSet", workload(**status)).phase == phase
