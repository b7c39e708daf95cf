"""kubernetes_rollout on the lab's cluster, against kubectl."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab import scene
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.kubectl import kubectl

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Answer, Desk

WORKLOADS = (
    scene.HEALTHY,
    scene.MULTI_CONTAINER,
    scene.DATABASE,
    scene.DAEMON,
    scene.UNDRAINABLE,
    scene.OOM_KILLED,
    scene.STUCK_ROLLOUT,
    scene.UNREADY,
    scene.NO_MEMORY,
    scene.OVER_QUOTA,
)


async def about(desk: Desk, role: scene.Role, view: str = "status", **arguments: object) -> Answer:
    """What the tool tells of a workload."""
    return await desk.ask("rollout", kind=role.kind, name=role.name, namespace=role.namespace, view=view, **arguments)


@pytest.mark.parametrize("role", WORKLOADS, ids=lambda role: role.name)
async def test_a_rollout_is_done_or_stuck_as_kubectl_says(lab: LabEnv, cluster: Desk, role: scene.Role) -> None:
    arguments = ("rollout", "status", "--watch=false", f"{role.kind}/{role.name}", "-n", role.namespace)
    printed = await kubectl(lab, *arguments, refusals=True)
    heading = (await about(cluster, role)).text.partition("\n")[0]
    if "exceeded its progress deadline" in printed:
        assert heading.endswith(": stuck")
    else:
        assert any(words in printed for words in ("successfully rolled out", "roll out complete"))
        assert heading.endswith(": done")


@pytest.mark.parametrize(
    "role", [scene.HEALTHY, scene.DATABASE, scene.DAEMON, scene.STUCK_ROLLOUT], ids=lambda r: r.name
)
async def test_the_history_is_the_one_kubectl_prints(lab: LabEnv, cluster: Desk, role: scene.Role) -> None:
    printed = await kubectl(lab, "rollout", "history", f"{role.kind}/{role.name}", "-n", role.namespace)
    expected = [re.split(r"\s+", line, maxsplit=1) for line in printed.splitlines() if line[:1].isdigit()]
    rows = (await about(cluster, role, "history")).rows
    assert [[row[0], row[4]] for row in reversed(rows)] == expected
    assert [row[1] for row in rows] == ["current", *[""] * (len(rows) - 1)]


async def test_the_history_tells_the_causes_of_the_scene(cluster: Desk) -> None:
    rows = (await about(cluster, scene.HEALTHY, "history")).rows
    assert tuple(row[4] for row in reversed(rows)) == scene.HEALTHY_REVISIONS
    only = await about(cluster, scene.HEALTHY, "history", revision=2)
    assert [row[0] for row in only.rows] == ["2"]


async def test_any_two_revisions_can_be_compared(cluster: Desk) -> None:
    text = (await about(cluster, scene.HEALTHY, "diff", revision=1, to_revision=3)).text
    assert "--- revision 1\n+++ revision 3" in text
    assert "-    image: registry.example.com/shop/web:1.0.0" in text
    assert "+    image: registry.example.com/shop/web:1.2.0" in text
    assert "pod-template-hash" not in text
    same = (await about(cluster, scene.HEALTHY, "diff", revision=2, to_revision=2)).text
    assert "same pod template" in same


async def test_pods_that_hold_a_rollout_up_are_named_with_their_reason(cluster: Desk) -> None:
    text = (await about(cluster, scene.STUCK_ROLLOUT)).text
    assert re.search(r"checkout-\S+\t0/1\tImagePullBackOff", text)
    waiting = (await about(cluster, scene.NO_MEMORY)).text
    assert re.search(r"analytics-\S+\t0/1\tPending", waiting)
    refused = (await about(cluster, scene.OVER_QUOTA)).text
    assert "exceeded quota" in refused
    assert "none was created" in refused


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"name": "wbe"}, "not_found", "near: web"),
        ({"name": "web", "view": "history", "revision": 9}, "revision_not_found", "held: 1, 2, 3, 4"),
        ({"name": "web", "view": "diff", "to_revision": 9}, "revision_not_found", "held: 1, 2, 3, 4"),
        ({"name": "web", "view": "diff", "to_revision": 1}, "revision_not_found", "no revision before 1"),
        ({"name": "web", "kind": "svc"}, "unsupported_kind", "services"),
        ({"name": "web", "kind": "replicaset"}, "unsupported_kind", "replicasets"),
        ({"name": "web", "kind": "deploymnt"}, "unknown_kind", "deployment"),
        ({"name": "a/b"}, "invalid_argument", "name"),
        ({"name": "web", "namespace": "nowhere"}, "not_found", "namespace nowhere"),
        ({"name": "web", "namespace": "--all"}, "invalid_argument", "namespace"),
        ({"name": "web", "revision": "x"}, "invalid_argument", "revision"),
    ],
)
async def test_wrong_calls_are_refused(cluster: Desk, arguments: dict[str, object], code: str, words: str) -> None:
    error = await error_of(cluster.ask("rollout", **{"namespace": scene.SHOP, **arguments}))
    assert error.code == code
    assert words in error.text


async def test_what_may_not_be_read_is_refused(nobody: Desk) -> None:
    assert (await error_of(about(nobody, scene.HEALTHY))).code == "forbidden"


async def test_a_dead_cluster_is_named(half_dead: Desk) -> None:
    error = await error_of(half_dead.ask("rollout", name="web", namespace=scene.SHOP, target="dead"))
    assert error.code == "unreachable"
