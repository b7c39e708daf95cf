"""The lab's canary, which stands for every secret, through every door: no answer of any tool holds it.

Audit, metrics and logs are inspected when the ``desk`` closes.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final, cast

import pytest

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str
from lab import CANARY
from lab.scene import (
    APPLIED_SECRET,
    BASIC_AUTH_SECRET,
    INJECTING,
    LEAKY,
    OPAQUE_SECRET,
    ORDERS,
    REGISTRY_SECRET,
    SHOP,
    TLS_SECRET,
)
from tests.canary_watch import forms_of
from tests.promises import promise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab import LabEnv
    from tests.every_tool.answers import Desk, Told

pytestmark = pytest.mark.lab
Arguments = dict[str, object]
Calls = list[tuple[str, "Mapping[str, object]"]]
SECRETS: Final = (OPAQUE_SECRET, BASIC_AUTH_SECRET, REGISTRY_SECRET, TLS_SECRET, APPLIED_SECRET)
PEEKS: Final = (
    ".data",
    ".stringData",
    ".metadata.annotations",
    "{.data}",
    "$..data",
    "..*",
    "metadata.managedFields",
    ".spec.template.spec.containers[*].env",
    ".spec.containers[*].env[*].value",
)
"""Expressions that would show a secret."""

SPELLINGS: Final = ("secret", "secrets", "Secret", "SECRETS", "v1/Secret", "secrets.v1.", "v1.Secret")
KINDS: Final = ("pod", "deployment", "replicaset", "configmap", "event", "serviceaccount", "ingress")


def _views(desk: Desk, tool: str) -> list[str]:
    properties = as_dict(desk.tools()[tool]["properties"])
    return [as_str(view) for view in as_list(as_dict(properties["view"])["enum"])]


async def _names(lab: LabEnv, kind: str) -> list[str]:
    """The objects of a kind in the namespace shop."""
    listed = await _kubectl(lab, "get", kind, "-n", SHOP, "-o", "name")
    return [line.partition("/")[2] for line in listed.split()]


def _inspect(desk: Desk, answers: list[Told], *, at_least: int) -> None:
    for answer in answers:
        desk.inspect(answer)
    assert sum(not answer.code for answer in answers) >= at_least, [str(answer)[:200] for answer in answers][:20]


@promise("S4")
async def test_no_view_and_no_expression_shows_what_is_in_a_secret(desk: Desk) -> None:
    calls: Calls = []
    for secret in SECRETS:
        named: Arguments = {"name": secret.name, "namespace": secret.namespace}
        calls += [("kubernetes_get", named | {"kind": "secret", "view": v}) for v in _views(desk, "kubernetes_get")]
        calls += [("kubernetes_get", named | {"kind": "secret", "fields": [peek]}) for peek in PEEKS]
        calls += [("kubernetes_get", named | {"kind": kind, "view": "yaml"}) for kind in SPELLINGS]
    _inspect(desk, await desk.ask_all(calls), at_least=len(SECRETS) * 10)


@promise("S4")
async def test_no_list_shows_what_is_in_secrets(desk: Desk) -> None:
    listed: Arguments = {"namespace": SHOP, "limit": 100}
    calls: Calls = [
        *(("kubernetes_list", listed | {"kind": kind}) for kind in SPELLINGS),
        *(("kubernetes_list", listed | {"kind": "secret", "columns": c}) for c in ("wide", "labels", "name")),
        *(("kubernetes_list", listed | {"kind": "secret", "fields": [peek]}) for peek in PEEKS),
        *(("kubernetes_list", listed | {"kind": "secret", "sort_by": peek}) for peek in PEEKS),
        *(("kubernetes_list", listed | {"kind": "secret", "count_by": peek}) for peek in PEEKS),
        *(("kubernetes_list", {"kind": kind, "query": CANARY[:-4]}) for kind in ("secret", "configmap", "pod")),
    ]
    _inspect(desk, await desk.ask_all(calls), at_least=10)


@promise("S4")
@pytest.mark.parametrize("kind", KINDS)
async def test_no_view_of_an_object_that_holds_or_uses_a_secret_shows_it(desk: Desk, lab: LabEnv, kind: str) -> None:
    names = (await _names(lab, kind))[:30]
    assert names
    calls: Calls = [
        ("kubernetes_get", {"kind": kind, "name": name, "namespace": SHOP, "view": view})
        for name in names
        for view in _views(desk, "kubernetes_get")
    ]
    calls += [("kubernetes_list", {"kind": kind, "namespace": SHOP, "fields": [peek]}) for peek in PEEKS]
    _inspect(desk, await desk.ask_all(calls), at_least=len(names))


@promise("S4")
@promise("S13")
async def test_what_leaking_workloads_say_shows_no_secret_and_closes_no_envelope(desk: Desk, lab: LabEnv) -> None:
    calls: Calls = []
    for role in (LEAKY, INJECTING):
        named: Arguments = {"kind": role.kind, "name": role.name, "namespace": role.namespace}
        pods = [name for name in await _names(lab, "pod") if name.startswith(f"{role.name}-")]
        assert pods
        calls += [("kubernetes_logs", named | more) for more in ({}, {"tail": 300}, {"previous": True})]
        calls += [("kubernetes_logs", named | {"tail": 300, "grep": word}) for word in ("password", "Bearer", "token")]
        calls += [("kubernetes_logs", {"name": pod, "namespace": role.namespace}) for pod in pods]
        calls += [
            ("kubernetes_events", {"namespace": role.namespace, "type": "all", "group": g}) for g in (True, False)
        ]
        calls += [("kubernetes_rollout", named | {"view": v}) for v in _views(desk, "kubernetes_rollout")]
    answers = await desk.ask_all(calls)
    _inspect(desk, answers, at_least=6)
    logs = [answer for answer in answers if answer.tool == "kubernetes_logs" and not answer.code]
    assert any("password=***" in answer.text for answer in logs), "the leaking log was not read"
    assert any(ORDERS in answer.text for answer in logs), "the log that gives orders was not read"
    for answer in answers:
        assert answer.text.lower().count("</untrusted>") == answer.text.lower().count("<untrusted"), answer
        assert "\x1b" not in answer.text


@promise("S4")
@promise("S5")
async def test_no_view_of_any_tool_shows_a_secret_or_how_the_server_gets_in(desk: Desk) -> None:
    """Every view of every tool; what opens the lab and the server's environment are among the secrets."""
    calls: Calls = []
    for tool, schema in desk.tools().items():
        views = as_list(as_dict(as_dict(schema["properties"]).get("view")).get("enum"))
        calls += [(tool, {"view": view}) for view in views if not schema.get("required")]
    calls += [("utilities_status", {"probe": True}), ("prometheus_status", {"view": "config", "search": "password"})]
    calls += [("prometheus_query", {"query": query}) for query in ("up", '{__name__=~".+"}')]
    answers = await desk.ask_all(calls)
    _inspect(desk, answers, at_least=10)


@promise("S5")
async def test_asking_for_credentials_of_the_server_by_any_name_gets_none(desk: Desk, lab: LabEnv) -> None:
    wanted = (
        str(lab.kubeconfig_admin),
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "~/.kube/config",
        "/proc/self/environ",
        "${CNMCP_SECRET_OF_THE_SERVER}",
        "env:CNMCP_SECRET_OF_THE_SERVER",
        f"file:{lab.kubeconfig_admin}",
    )
    calls: Calls = []
    for text in wanted:
        calls += [
            ("kubernetes_get", {"kind": "configmap", "name": text, "namespace": SHOP}),
            ("kubernetes_get", {"kind": "pod", "name": "x", "namespace": SHOP, "fields": [text]}),
            ("kubernetes_list", {"kind": text}),
            ("kubernetes_explain", {"resource": text}),
            ("prometheus_status", {"view": "config", "path": text}),
            ("utilities_fetch", {"url": text}),
            ("utilities_status", {"service": text}),
            ("utilities_time", {"timezone": text}),
        ]
    answers = await desk.ask_all(calls)
    for answer in answers:
        desk.inspect(answer)
    assert not any("client-key-data" in answer.text for answer in answers)


async def test_the_scene_does_hold_the_canary_where_the_tools_look(lab: LabEnv) -> None:
    """Otherwise the tests above would prove nothing."""
    raw = json.loads(await _kubectl(lab, "get", "secrets,pods,events,deployments", "-n", SHOP, "-o", "json"))
    kinds = {
        as_str(item["kind"])
        for item in cast("list[Mapping[str, object]]", raw["items"])
        if any(form in json.dumps(item) for form in forms_of(CANARY))
    }
    assert {"Secret", "Pod", "Deployment"} <= kinds


async def _kubectl(lab: LabEnv, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        str(lab.kubectl), f"--kubeconfig={lab.kubeconfig_admin}", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()
