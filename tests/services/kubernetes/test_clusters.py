"""kubernetes_clusters: the configured clusters and how they are."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.services.kubernetes.clusters.health import client_certificate, version_skew
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity
from tests.backends.kubernetes.clusters import aggregated, entry, group, routes
from tests.calls import SmallServer
from tests.fault_server.behaviours import answer, stall
from tests.promises import promise
from tests.services.kubernetes.clusters import Counter, clusters, scripted
from tests.services.kubernetes.kubectl import kubectl, kubectl_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.fault_server.behaviours import Behaviour

COLUMNS = "NAME	REACHABLE	VERSION	NODES	PODS	CPU REQ/ALLOC	MEMORY REQ/ALLOC	MODE"
VIEWS = ("summary", "health", "addons")


def row_of(shown: Answer, cluster: str) -> list[str]:
    """The first row of a cluster."""
    return next(row for row in shown.rows if row[0].partition(" ")[0] == cluster)


async def test_the_summary_counts_what_kubectl_counts(lab: LabEnv, cluster: Desk) -> None:
    shown = await cluster.ask("clusters")
    nodes = (await kubectl_json(lab, "get", "nodes"))["items"]
    pods = (await kubectl_json(lab, "get", "pods", "-A"))["items"]
    version = (await kubectl_json(lab, "version"))["serverVersion"]["gitVersion"]
    row = row_of(shown, "lab")
    assert COLUMNS in shown.text
    assert row[0] == "lab (default)"
    assert re.fullmatch(r"yes \(\d+ ms\)", row[1])
    assert row[2:5] == [version, f"{len(nodes)}/{len(nodes)}", str(len(pods))]
    assert row[7] == "read-only"
    for cell, resource, unit, sign in ((row[5], "cpu", 1e-3, "m"), (row[6], "memory", 2.0**20, "Mi")):
        allocatable = sum(parse_quantity(node["status"]["allocatable"][resource]) or 0 for node in nodes)
        assert cell.endswith(f"/{round(allocatable / unit)}{sign}")


async def test_requests_are_those_of_pods_that_hold_them(lab: LabEnv, cluster: Desk) -> None:
    """As `kubectl describe node` adds them up: pods that no node has, and pods that ended, hold nothing."""
    described = await kubectl(lab, "describe", "nodes")
    held = {
        resource: sum(
            parse_quantity(amount) or 0
            for amount in re.findall(rf"(?m)^  {resource} +(\S+) +\(\d+%\) +\S+ +\(\d+%\)$", described)
        )
        for resource in ("cpu", "memory")
    }
    row = row_of(await cluster.ask("clusters"), "lab")
    assert row[5].partition("/")[0] == f"{round(held['cpu'] * 1000)}m"
    assert row[6].partition("/")[0] == f"{round(held['memory'] / 2**20)}Mi"


async def test_a_dead_cluster_is_a_row_with_its_reason_below(half_dead: Desk) -> None:
    shown = await half_dead.ask("clusters")
    assert shown.text.startswith("summary of 2 configured clusters\n")
    assert row_of(shown, "lab")[1].startswith("yes")
    assert row_of(shown, "dead")[1:] == ["no"] + [""] * 8
    assert re.search(r"^dead did not answer: unreachable: .*refused", shown.text, re.MULTILINE)
    health = await half_dead.ask("clusters", view="health")
    assert row_of(health, "dead")[1:3] == ["reachable", "failed"]
    assert row_of(await half_dead.ask("clusters", view="addons"), "dead")[1:] == ["", "", "", ""]


async def test_one_target_is_shown_when_named_and_all_otherwise(half_dead: Desk) -> None:
    assert [row[0] for row in (await half_dead.ask("clusters", target="lab")).rows] == ["lab (default)"]
    assert len((await half_dead.ask("clusters", target="*")).rows) == 2
    assert [row[1] for row in (await half_dead.ask("clusters", target="dead")).rows] == ["no"]


@pytest.mark.parametrize("view", VIEWS)
@promise("S5")
async def test_no_view_tells_files_addresses_or_credentials(lab: LabEnv, half_dead: Desk, view: str) -> None:
    kubeconfig = lab.kubeconfig_admin.read_text("utf-8")
    shown = (await half_dead.ask("clusters", view=view)).text
    assert str(lab.kubeconfig_admin) not in shown
    assert str(lab.kubeconfig_admin.parent) not in shown
    for secret in re.findall(r"(?:-data|token): *(\S+)", kubeconfig):
        assert secret[:40] not in shown


async def test_a_user_without_rights_sees_that_the_cluster_lives_and_what_was_not_read(nobody: Desk) -> None:
    shown = await nobody.ask("clusters")
    row = row_of(shown, "lab")
    assert row[1].startswith("yes")
    assert row[3:7] == ["", "", "-/-", "-/-"]
    assert "lab: not read: nodes: forbidden, pods: forbidden" in shown.text
    checks = {row[1]: row[2] for row in (await nobody.ask("clusters", view="health")).rows}
    assert checks["/readyz"] == "ok"
    assert checks["nodes"] == checks["aggregated APIs"] == "not checked"


async def test_a_healthy_cluster_passes_every_check(cluster: Desk) -> None:
    checks = {row[1]: row[2] for row in (await cluster.ask("clusters", view="health")).rows}
    assert list(checks) == ["/readyz", "/livez", "aggregated APIs", "nodes", "version skew", "client certificate"]
    assert set(checks.values()) == {"ok"}


async def test_a_viewer_who_may_not_see_nodes_still_counts_pods(viewer: Desk, cluster: Desk) -> None:
    shown = await viewer.ask("clusters")
    row, whole = row_of(shown, "lab"), row_of(await cluster.ask("clusters"), "lab")
    assert row[3] == ""
    assert row[4] == whole[4]
    assert row[5] == whole[5].partition("/")[0] + "/-"
    assert "lab: not read: nodes: forbidden" in shown.text


async def test_addons_are_found_with_the_argument_that_lists_them(cluster: Desk) -> None:
    rows = (await cluster.ask("clusters", view="addons")).rows
    assert ["lab", "Metrics API", "metrics.k8s.io", "nodes, pods", "kind=nodes.metrics.k8s.io"] in rows
    for row in rows:
        if row[1] == "other":
            assert (await cluster.ask("list", kind=row[4].removeprefix("kind="))).text


async def test_counts_are_kept_for_half_a_minute(lab: LabEnv) -> None:
    counter = Counter()
    async with clusters(observer=counter, lab=lab.kubeconfig_admin) as desk:
        await desk.ask("clusters")
        counter.outcomes.clear()
        await desk.ask("clusters")
    assert counter.outcomes == ["200"], "the version alone, for it tells that the cluster lives"


class _Writing(SmallServer):
    """A server whose callers may write."""

    def effects(self, principal: object) -> Sequence[str]:  # noqa: ARG002
        return ("read", "write")


async def test_the_mode_says_what_the_caller_may_do(cluster: Desk) -> None:
    writing = dataclasses.replace(cluster, server=_Writing())
    assert row_of(await writing.ask("clusters"), "lab")[7] == "read,write"


# A cluster of one node, scripted where the lab's cannot be broken.

NODE: dict[str, object] = {
    "metadata": {"name": "one"},
    "status": {
        "allocatable": {"cpu": "4", "memory": "8Gi"},
        "conditions": [{"type": "Ready", "status": "False"}],
        "nodeInfo": {"kubeletVersion": "v1.33.4"},
    },
}
STARTING = {"resources": {"requests": {"cpu": "3"}}}
SIDECAR = {"restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}}
WORKER = {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
PODS: list[object] = [
    {"spec": {"containers": [WORKER, WORKER], "initContainers": [SIDECAR]}},
    {"spec": {"containers": [WORKER], "initContainers": [SIDECAR, STARTING]}},
    {"spec": {"containers": [{}]}},
]
FAILING = """[+]ping ok
[-]etcd failed: reason withheld
[+]log ok
[-]informer-sync failed: reason withheld
readyz check failed
"""
DOWN = {
    "metadata": {"name": "v1beta1.metrics.k8s.io"},
    "status": {
        "conditions": [
            {
                "type": "Available",
                "status": "False",
                "reason": "MissingEndpoints",
                "message": "no endpoints for metrics",
            }
        ]
    },
}
GROUPS = (
    group("apiregistration.k8s.io", v1=[entry("apiservices", "APIService", namespaced=False)]),
    group("cert-manager.io", v1=[entry("certificates", "Certificate"), entry("issuers", "Issuer")]),
    group("acme.cert-manager.io", v1=[entry("orders", "Order")]),
)


def _ailing(**others: Behaviour) -> dict[str, Behaviour]:
    core = group("", v1=[entry("pods", "Pod"), entry("nodes", "Node", namespaced=False)])
    table = {
        "/api": answer(aggregated(core)),
        "/apis": answer(aggregated(*GROUPS)),
        "/version": answer({"gitVersion": "v1.37.2", "major": "1", "minor": "37"}),
        "/api/v1/nodes": answer({"items": [NODE]}),
        "/api/v1/pods": answer({"items": PODS}),
        "/readyz": answer(FAILING, status=500, kind="text/plain"),
        "/livez": answer("[+]ping ok\nlivez check passed\n", kind="text/plain"),
        "/apis/apiregistration.k8s.io/v1/apiservices": answer({"items": [DOWN]}),
    }
    return table | {path.replace("_", "/"): behaviour for path, behaviour in others.items()}


async def test_an_ailing_cluster_is_told_check_by_check() -> None:
    async with scripted(routes(_ailing())) as desk:
        rows = (await desk.ask("clusters", view="health")).rows
    assert rows == [
        ["scripted", "/readyz", "failed", "etcd, informer-sync"],
        ["scripted", "/livez", "ok", ""],
        ["scripted", "APIService v1beta1.metrics.k8s.io", "failed", "MissingEndpoints: no endpoints for metrics"],
        ["scripted", "nodes", "warning", "0 of 1 ready"],
        ["scripted", "version skew", "warning", "kubelets v1.33.4 with API server v1.37.2"],
    ]


async def test_requests_count_sidecars_and_the_largest_step_of_the_start() -> None:
    async with scripted(routes(_ailing())) as desk:
        row = row_of(await desk.ask("clusters"), "scripted")
    assert row[3:7] == ["0/1", "3", "6000m/4000m", "3072Mi/8192Mi"]  # 2 + 0.5, and 0.5 + 3


async def test_known_addons_come_under_their_names_with_all_their_groups() -> None:
    async with scripted(routes(_ailing())) as desk:
        rows = (await desk.ask("clusters", view="addons")).rows
    groups, kinds = "cert-manager.io,acme.cert-manager.io", "certificates, issuers, orders"
    assert rows == [["scripted", "cert-manager", groups, kinds, "kind=certificates.cert-manager.io"]]


async def test_a_cluster_that_counts_slowly_is_reachable_all_the_same(dead: Path) -> None:
    async with scripted(routes(_ailing(_api_v1_pods=stall())), dead=dead) as desk:
        shown = await desk.ask("clusters")
    row = row_of(shown, "scripted")
    assert row[1].startswith("yes")
    assert row[2:5] == ["v1.37.2", "", ""]
    assert "scripted: not read: nodes and pods: no answer within 2 s" in shown.text
    assert row_of(shown, "dead")[1] == "no"


async def test_a_cluster_that_never_answers_holds_nobody_up() -> None:
    async with scripted(lambda _: stall()) as desk:
        shown = await desk.ask("clusters")
    assert row_of(shown, "scripted")[1] == "no"
    assert "scripted did not answer: timeout" in shown.text


@pytest.mark.parametrize(
    ("server", "kubelets", "state"),
    [
        ("v1.37.2", {"v1.37.0", "v1.34.9"}, "ok"),
        ("v1.37.2", {"v1.33.9"}, "warning"),
        ("v1.37.2", {"v1.38.0"}, "warning"),
        ("v1.37.2+k3s1", {"v1.37.2-eks-1"}, "ok"),
        ("v1.37.2", {"unknown"}, "warning"),
    ],
)
def test_kubelets_may_be_three_minor_versions_behind_and_none_ahead(
    server: str, kubelets: set[str], state: str
) -> None:
    assert version_skew(server, kubelets).state == state


@pytest.mark.parametrize(("days", "state"), [(365, "ok"), (10, "warning"), (-1, "failed")])
def test_a_client_certificate_near_its_end_is_a_warning(days: int, state: str) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    issued = trustme.CA().issue_cert("someone", not_before=end - timedelta(days=400), not_after=end)
    check = client_certificate(TlsOptions(cert_data=issued.cert_chain_pems[0].bytes()))
    assert check is not None
    assert check.state == state


def test_without_a_client_certificate_there_is_nothing_to_check() -> None:
    assert client_certificate(TlsOptions()) is None
