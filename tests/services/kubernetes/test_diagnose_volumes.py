"""How full volumes are: what kubelets report, through an API server in front of the lab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import scene
from tests.contract_servers.kubelet_proxy import in_front
from tests.services.kubernetes.test_diagnose import findings
from tests.services.kubernetes.test_top_kubelets import kubelets_of

if TYPE_CHECKING:
    from lab import LabEnv

FULL = ["warning", "volume_full", f"PersistentVolumeClaim {scene.SHOP}/data-db-0"]


async def test_volumes_that_are_nearly_full_are_found_when_storage_is_asked_for(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, await kubelets_of(lab)) as (desk, server):
        usual = await desk.ask("diagnose", namespace=scene.SHOP)
        assert not any("stats/summary" in request.path for request in server.requests)
        asked = await desk.ask("diagnose", namespace=scene.SHOP, checks=["storage"])
        elsewhere = await desk.ask("diagnose", namespace=scene.PLATFORM, checks=["storage"])
    assert "checks=storage does" in usual.text
    assert [row[:3] for row in findings(asked.result)] == [FULL]
    assert "90% of its space are used, by pod db-0" in asked.text
    assert findings(elsewhere.result) == []


async def test_the_fill_of_its_volumes_is_told_of_one_object(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, await kubelets_of(lab)) as (desk, _):
        of_set = await desk.ask("diagnose", kind="sts", name=scene.DATABASE.name, namespace=scene.SHOP)
        full = await desk.ask("diagnose", kind="pvc", name="data-db-0", namespace=scene.SHOP)
        roomy = await desk.ask("diagnose", kind="pvc", name="data-db-1", namespace=scene.SHOP)
    assert [row[:3] for row in findings(of_set.result)] == [FULL]
    assert [row[:3] for row in findings(full.result)] == [FULL]
    assert "nothing wrong was found, " in roomy.result.header


async def test_kubelets_that_do_not_answer_are_told(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, await kubelets_of(lab, reachable=False)) as (desk, _):
        answer = await desk.ask("diagnose", namespace=scene.SHOP, checks=["storage"])
    assert [line.split(": ")[:3] for line in answer.result.partial] == [["storage", "in part", "kubelet_unreachable"]]
