"""Kinds that a watch keeps current: the same findings as without, no lists, the rights of now."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from cloud_native_mcp.services.kubernetes.config import KubernetesConfig
from lab import scene
from lab.probes import wait_until
from tests.contract_servers.kubelet_proxy import in_front
from tests.fault_server.behaviours import answer
from tests.services.kubernetes.clusters import clusters
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.server import FaultServer
    from tests.services.kubernetes.scratch import Scratch

KINDS = [
    "pods",
    "events",
    "services",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "nodes",
    "jobs.batch",
]
WATCHED = {"watched_kinds": KINDS}
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def findings(answer: Answer) -> list[list[str]]:
    """Rank, code and object of each finding; the rest tells ages."""
    return [row[:3] for row in answer.rows]


async def warm(desk: Desk, tool: str, **arguments: object) -> None:
    """Ask once, so that the watches begin, and wait until all of them have their lists."""
    await desk.ask(tool, **arguments)
    stores: Any = desk.service
    await until(lambda: all(one.objects is not None for one in stores.watched._stores.values()))


async def until(met: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, "what the test waits for", met, within=15)


@pytest.mark.parametrize("tool", ["diagnose", "audit"])
async def test_the_findings_are_the_same(lab: LabEnv, cluster: Desk, tool: str) -> None:
    async with clusters(lab=lab.kubeconfig_admin, settings=WATCHED) as watched:
        for arguments in ({"namespace": scene.PAYMENTS}, {}):
            await warm(watched, tool, **arguments)
            kept, live = await watched.ask(tool, **arguments), await cluster.ask(tool, **arguments)
            assert findings(kept) == findings(live)
            assert findings(kept)


async def test_changes_are_seen_without_another_list(lab: LabEnv, scratch: Scratch) -> None:
    async with in_front(lab.kubeconfig_admin, settings=WATCHED) as (desk, server):
        await warm(desk, "diagnose", namespace=scratch.namespace)
        before = len(server.requests)
        scratch.make("Deployment", "stuck", **never_scheduled("stuck"))

        await diagnosed(desk, scratch, stuck=True)
        scratch.api.delete(scratch.path("apps/v1", "deployments", "stuck"))
        await diagnosed(desk, scratch, stuck=False)
        assert lists_of(server, before, "pods") == []


async def diagnosed(desk: Desk, scratch: Scratch, *, stuck: bool) -> None:
    """Diagnose until the pod that fits nowhere is told of, or is not any more."""
    for _ in range(100):
        if ("unschedulable" in (await desk.ask("diagnose", namespace=scratch.namespace)).text) == stuck:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(stuck)


def never_scheduled(name: str) -> dict[str, Any]:
    """A Deployment whose pod fits on no node."""
    fields = deployment(name)
    fields["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "at-all"}
    return fields


def lists_of(server: FaultServer, since: int, plural: str) -> list[str]:
    """The lists of a kind that came since; watches are none."""
    targets = [one.target for one in server.requests[since:] if one.method == "GET" and one.path.endswith(f"/{plural}")]
    return [target for target in targets if "watch=1" not in target]


async def test_a_right_that_was_taken_is_missed_at_once(lab: LabEnv) -> None:
    denied = answer(json.dumps({"kind": "SelfSubjectAccessReview", "status": {"allowed": False}}), status=201)
    overrides: dict[str, Behaviour] = {}
    settings = {"watched_kinds": ["services"]}
    async with in_front(lab.kubeconfig_admin, overrides=overrides, settings=settings) as (desk, _):
        await warm(desk, "diagnose", namespace=scene.SHOP)
        assert "forbidden" not in (await desk.ask("diagnose", namespace=scene.SHOP)).text
        overrides[REVIEWS] = denied
        told = await desk.ask("diagnose", namespace=scene.SHOP)
    assert "forbidden: this server may not list services in namespace shop" in told.text


async def test_what_may_not_be_listed_everywhere_is_asked_for_as_before(lab: LabEnv) -> None:
    fence = {"allow": [{"namespaces": [scene.PAYMENTS]}]}
    targets = {"lab": {"kubeconfig": str(lab.kubeconfig_admin), "fence": fence}}
    async with clusters(settings={"targets": targets, **WATCHED}) as desk:
        first = await desk.ask("diagnose", namespace=scene.PAYMENTS)
        second = await desk.ask("diagnose", namespace=scene.PAYMENTS)
    assert findings(first) == findings(second)
    assert findings(second)


@pytest.mark.parametrize("kind", ["secrets", "Secret", "secrets.v1"])
def test_secrets_are_never_kept(kind: str) -> None:
    with pytest.raises(ValidationError, match="Secrets are never kept"):
        KubernetesConfig.model_validate({"watched_kinds": ["pods", kind]})
