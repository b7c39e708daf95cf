"""Callers with rights by namespace and kind: each sees its own part of one cluster, at the same time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import Principal
from tests.promises import promise
from tests.server_fixtures import Server, lab_settings, started

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from lab import LabEnv

ROUNDS = 10

SHOP = Principal(id="sue", method="api_key", groups=("shop",))
PAYMENTS = Principal(id="pia", method="api_key", groups=("payments",))
ADMIN = Principal(id="root", method="api_key", groups=("ops",))


def _only(namespace: str) -> dict[str, object]:
    return {
        "allow": [{"effects": ["read"], "namespaces": [namespace]}, {"effects": ["write"], "namespaces": [namespace]}],
        "deny": [{"kinds": ["configmaps"]}],
    }


POLICY: dict[str, object] = {
    "default": [],
    "roles": {"shop": _only("shop"), "payments": _only("payments")},
    "bindings": [
        {"roles": ["shop"], "groups": ["shop"]},
        {"roles": ["payments"], "groups": ["payments"]},
        {"roles": ["admin"], "groups": ["ops"]},
    ],
}


@asynccontextmanager
async def ruled(lab: LabEnv, folder: Path, **kubernetes: object) -> AsyncGenerator[Server]:
    settings = lab_settings(lab, folder, permissions=POLICY, kubernetes=kubernetes)
    async with started(settings) as server:
        yield server


@pytest.fixture
async def server(lab: LabEnv, tmp_path: Path) -> AsyncGenerator[Server]:
    async with ruled(lab, tmp_path) as server:
        yield server


def namespaces(text: str) -> set[str]:
    """Namespaces of the rows of a list of pods over all namespaces."""
    rows = [line.split("\t") for line in text.splitlines() if "\t" in line]
    column = rows[0].index("NAMESPACE")
    return {row[column] for row in rows[1:]}


@promise("S15")
async def test_callers_see_their_own_namespaces_in_the_same_list_at_the_same_time(server: Server) -> None:
    arguments = {"kind": "pods", "limit": 100}
    for _ in range(ROUNDS):
        shop, payments, everything = await asyncio.gather(
            *(server.call("kubernetes_list", arguments, principal=who) for who in (SHOP, PAYMENTS, ADMIN))
        )
        assert "payments" not in shop.text.partition("\n")[2]
        assert "shop" not in payments.text.partition("\n")[2]
        assert {"shop", "payments"} < namespaces(everything.text)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("kubernetes_list", {"kind": "pods", "namespace": "payments"}),
        ("kubernetes_get", {"kind": "deployments", "name": "checkout", "namespace": "payments"}),
        ("kubernetes_events", {"namespace": "payments"}),
        ("kubernetes_scale", {"name": "checkout", "namespace": "payments", "replicas": 2, "dry_run": True}),
        ("kubernetes_list", {"kind": "configmaps", "namespace": "shop"}),
        ("kubernetes_list", {"kind": "nodes"}),
        ("helm_list", {"namespace": "payments"}),
    ],
)
async def test_what_is_outside_a_callers_rights_is_refused_and_recorded(
    server: Server, tool: str, arguments: dict[str, object]
) -> None:
    answer = await server.call(tool, arguments, principal=SHOP)
    assert answer.code == "denied_by_policy"
    assert "the caller's roles, shop" in answer.text
    assert answer.record["principal"] == "sue"
    assert answer.record["code"] == "denied_by_policy"


async def test_inside_its_rights_a_caller_is_served(server: Server) -> None:
    listed = await server.call("kubernetes_list", {"kind": "pods", "namespace": "shop"}, principal=SHOP)
    assert listed.code == ""
    assert "web" in listed.text


@promise("S15")
async def test_what_one_caller_read_is_not_given_to_another_from_what_is_kept(lab: LabEnv, tmp_path: Path) -> None:
    async with ruled(lab, tmp_path, watched_kinds=["pods", "deployments.apps"]) as server:
        question = {"kind": "deployment", "name": "checkout", "namespace": "payments"}
        for _ in range(3):
            full = await server.call("kubernetes_diagnose", question, principal=ADMIN)
            assert "checkout" in full.text
            refused = await server.call("kubernetes_diagnose", question, principal=SHOP)
            assert refused.code == "denied_by_policy"


async def test_all_clusters_are_those_the_caller_may_use(lab: LabEnv, tmp_path: Path) -> None:
    policy = {"roles": {"one": {"allow": [{"targets": ["lab"]}]}}, "default": ["one"]}
    twin = {"twin": {"kubeconfig": str(lab.kubeconfig_admin)}}
    settings = lab_settings(lab, tmp_path, permissions=policy, kubernetes={"targets": twin})
    async with started(settings) as server:
        every = await server.call("kubernetes_list", {"kind": "nodes", "target": "*"}, principal=SHOP)
        other = await server.call("kubernetes_list", {"kind": "nodes", "target": "twin"}, principal=SHOP)
    assert every.record["targets"] == ["lab"]
    assert other.code == "denied_by_policy"
    assert "you may on lab" in other.text
