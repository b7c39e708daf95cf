"""Tables of kubernetes_list against those of kubectl get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab import scene
from tests.services.kubernetes.kubectl import kubectl, table_of

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Answer, Desk

KINDS = (
    "pods",
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "services",
    "endpointslices",
    "ingresses",
    "networkpolicies",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "persistentvolumeclaims",
    "poddisruptionbudgets",
    "resourcequotas",
    "roles",
    "rolebindings",
    "backups.ops.example.com",
)
CLUSTER_KINDS = (
    "nodes",
    "namespaces",
    "persistentvolumes",
    "storageclasses",
    "priorityclasses",
    "clusterroles",
    "clusterrolebindings",
    "customresourcedefinitions",
)
_TICKING = re.compile(r"AGE|LAST SCHEDULE|DURATION|REQUEST|LIMIT")
_SHOWN = {"True": "true", "False": "false"}
_AGO = re.compile(r" \(.* ago\)")


def steady(columns: list[str], rows: list[list[str]]) -> list[list[str]]:
    """The rows without what ticks on between two questions."""
    kept = [index for index, name in enumerate(columns) if not _TICKING.search(name)]
    return [[_AGO.sub("", _SHOWN.get(row[index], row[index])) for index in kept] for row in rows]


def columns_of(answer: Answer) -> list[str]:
    """The column names of the only table."""
    lines = answer.text.splitlines()
    return lines[2 if lines[1].startswith("<untrusted") else 1].split("\t")


async def compare(lab: LabEnv, desk: Desk, kind: str, *flags: str, **arguments: object) -> None:
    """Both tables say the same."""
    columns, rows = table_of(await kubectl(lab, "get", kind, *flags))
    answer = await desk.ask("list", kind=kind, limit=500, **arguments)
    assert columns_of(answer) == columns
    assert steady(columns, answer.rows) == steady(columns, rows)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_list_over_all_namespaces_is_the_table_of_kubectl(lab: LabEnv, cluster: Desk, kind: str) -> None:
    await compare(lab, cluster, kind, "-A")


@pytest.mark.parametrize("kind", CLUSTER_KINDS)
async def test_a_list_of_what_has_no_namespace_is_the_table_of_kubectl(lab: LabEnv, cluster: Desk, kind: str) -> None:
    await compare(lab, cluster, kind)


@pytest.mark.parametrize("kind", ["pods", "deployments", "services", "statefulsets", "backups.ops.example.com"])
async def test_a_wide_list_is_the_wide_table_of_kubectl(lab: LabEnv, cluster: Desk, kind: str) -> None:
    await compare(lab, cluster, kind, "-A", "-o", "wide", columns="wide")


@pytest.mark.parametrize("namespace", [scene.SHOP, scene.PAYMENTS, scene.PLATFORM])
async def test_a_list_of_one_namespace_is_the_table_of_kubectl(lab: LabEnv, cluster: Desk, namespace: str) -> None:
    await compare(lab, cluster, "pods", "-n", namespace, namespace=namespace)


async def test_labels_are_those_of_kubectl(lab: LabEnv, cluster: Desk) -> None:
    columns, rows = table_of(await kubectl(lab, "get", "deployments", "-A", "--show-labels"))
    answer = await cluster.ask("list", kind="deployments", columns="labels", limit=500)
    assert columns_of(answer) == columns
    ours = [[*row[:2], set(row[-1].split(","))] for row in answer.rows]
    assert ours == [[*row[:2], set(row[-1].replace("<none>", "").split(","))] for row in rows]


@pytest.mark.parametrize(
    ("flag", "argument", "selector"),
    [
        ("-l", "label_selector", "app in (web,api)"),
        ("-l", "label_selector", "app,app notin (web)"),
        ("--field-selector", "field_selector", "status.phase!=Running"),
        ("--field-selector", "field_selector", f"metadata.namespace={scene.SHOP}"),
    ],
)
async def test_selectors_mean_what_they_mean_to_kubectl(
    lab: LabEnv, cluster: Desk, flag: str, argument: str, selector: str
) -> None:
    await compare(lab, cluster, "pods", "-A", flag, selector, **{argument: selector})


async def test_chosen_fields_are_those_of_kubectls_custom_columns(lab: LabEnv, cluster: Desk) -> None:
    fields = [".spec.nodeName", ".spec.containers[*].image", ".status.podIP", ".metadata.labels.app"]
    spec = ",".join(
        f"C{number}:{field}" for number, field in enumerate([".metadata.namespace", ".metadata.name", *fields])
    )
    _, rows = table_of(await kubectl(lab, "get", "pods", "-A", "-o", f"custom-columns={spec}"))
    answer = await cluster.ask("list", kind="pods", fields=fields, limit=500)
    assert answer.rows == [["" if cell == "<none>" else cell for cell in row] for row in rows]


@pytest.mark.parametrize("path", [".status.startTime", ".metadata.name", ".spec.nodeName"])
async def test_sorting_by_a_path_is_that_of_kubectl(lab: LabEnv, cluster: Desk, path: str) -> None:
    _, rows = table_of(await kubectl(lab, "get", "pods", "-n", scene.SHOP, f"--sort-by={path}"))
    answer = await cluster.ask("list", kind="pods", namespace=scene.SHOP, sort_by=path, fields=[path])
    order = {row[0]: index for index, row in enumerate(rows)}
    values = [row[1] for row in answer.rows]
    assert values == [value for _, value in sorted((order[row[0]], row[1]) for row in answer.rows)]
