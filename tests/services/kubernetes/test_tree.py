"""The tree of one object on the lab's cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import scene

if TYPE_CHECKING:
    from tests.calls import Desk


async def tree(desk: Desk, kind: str, name: str, *, namespace: str = scene.SHOP, depth: int = 2) -> list[str]:
    """The lines of a tree."""
    answer = await desk.ask("get", kind=kind, name=name, namespace=namespace, view="tree", depth=depth)
    return answer.text.partition("<untrusted")[2].splitlines()[1:-1]


async def pod_of(desk: Desk, app: str) -> str:
    """The name of a pod of a workload of the shop."""
    listed = await desk.ask("list", kind="pods", namespace=scene.SHOP, label_selector=f"app={app}", columns="name")
    return listed.rows[0][0]


async def test_owners_stand_above_and_owned_objects_below(cluster: Desk) -> None:
    pod = await pod_of(cluster, "web")
    lines = await tree(cluster, "pod", pod)
    assert lines[0] == "Deployment/web"
    assert lines[1].startswith("  ReplicaSet/web-")
    assert lines[2].startswith(f"    > Pod/{pod}  1/1 Running")
    below = [line.strip() for line in lines[3:]]
    assert "~ ServiceAccount/web" in below
    assert "~ Service/web (selects its pods)" in below
    assert any(line.startswith("~ Node/node-") for line in below)


async def test_the_depth_bounds_how_far_down_it_goes(cluster: Desk) -> None:
    shallow = await tree(cluster, "deploy", "web", depth=1)
    deep = await tree(cluster, "deploy", "web", depth=2)
    assert not any("Pod/" in line for line in shallow)
    assert sum("Pod/" in line for line in deep) == 3


async def test_a_claim_leads_to_its_volume_and_a_pod_to_its_claim(cluster: Desk) -> None:
    assert any("~ PersistentVolume/shop-db-0" in line for line in await tree(cluster, "pvc", "data-db-0"))
    assert any("~ PersistentVolumeClaim/data-db-0 (volume)" in line for line in await tree(cluster, "pod", "db-0"))


async def test_an_ingress_leads_to_its_services_and_its_certificate(cluster: Desk) -> None:
    lines = [line.strip() for line in await tree(cluster, "ingress", "shop")]
    assert lines[1:] == ["~ Service/web (routes to)", "~ Service/api (routes to)", "~ Secret/web-tls (tls)"]


async def test_a_job_is_below_its_cron_job(cluster: Desk) -> None:
    lines = await tree(cluster, "cronjob", scene.CRON_JOB.name, namespace=scene.BATCH)
    assert lines[1].startswith(f"  Job/{scene.FINISHED_JOB.name}")
    assert lines[2].startswith(f"    Pod/{scene.FINISHED_JOB.name}-")


async def test_what_may_not_be_listed_is_named(viewer: Desk) -> None:
    lines = await tree(viewer, "deploy", "web")
    assert sum("Pod/" in line for line in lines) == 3
    assert any(line.startswith("not listed: ") and "secrets" in line for line in lines)


@pytest.mark.parametrize(
    ("kind", "name", "namespace", "link"),
    [
        ("svc", "web", scene.SHOP, "~ Deployment/web (its pods are selected)"),
        ("svc", "db", scene.SHOP, "~ StatefulSet/db (its pods are selected)"),
        ("networkpolicy", "db-only-from-api", scene.SHOP, "~ StatefulSet/db (its pods are selected)"),
        ("pdb", "quorum", scene.PLATFORM, "~ StatefulSet/quorum (its pods are selected)"),
        ("hpa", "web", scene.SHOP, "~ Deployment/web (scales)"),
    ],
)
async def test_what_selects_or_scales_leads_to_the_workload(
    cluster: Desk, kind: str, name: str, namespace: str, link: str
) -> None:
    links = [line.strip() for line in await tree(cluster, kind, name, namespace=namespace) if "Ingress" not in line]
    assert [line for line in links if line.startswith("~")] == [link]


async def test_a_service_whose_selector_matches_nothing_leads_nowhere(cluster: Desk) -> None:
    name, namespace = scene.NO_ENDPOINTS.name, scene.NO_ENDPOINTS.namespace
    assert not [line for line in await tree(cluster, "svc", name, namespace=namespace) if "selected" in line]
