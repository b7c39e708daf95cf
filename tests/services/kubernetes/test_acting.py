"""A cluster that is asked as the caller: its own RBAC decides, for each caller and at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.errors import ConfigError, ToolError
from lab import scene
from tests.backends.kubernetes.clusters import soon
from tests.services.kubernetes.acting import RBAC, acting_target, actor, allow, as_caller
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.pods_to_run_in import make_pod, run
from tests.services.kubernetes.test_connect_forwards import asked as asked_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from cloud_native_mcp.services.kubernetes.service import KubernetesService
    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Callers:
    """``alice`` may edit the namespace, ``bob`` may read it but for its Secrets; the server itself may do neither."""

    alice: Desk
    bob: Desk
    carol: Desk
    server: Desk
    scratch: Scratch


@pytest.fixture
async def callers(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> AsyncGenerator[Callers]:
    """The service for each of them."""
    with actor(lab, scratch, tmp_path) as kubeconfig:
        allow(scratch, "alice", "edit")
        allow(scratch, "bob", "view")
        targets = {
            "lab": acting_target(kubeconfig, scratch),
            "own": {"kubeconfig": str(kubeconfig)},
        }
        async with clusters(
            settings={"targets": targets, "watched_kinds": ["pods"], "forward_address": "127.0.0.1"}
        ) as desk:
            alice, bob, carol = (as_caller(desk, name) for name in ("alice", "bob", "carol"))
            yield Callers(alice, bob, carol, desk, scratch)


async def told(desk: Desk, tool: str, **arguments: object) -> str:
    """The answer, or the refusal."""
    try:
        return (await desk.ask(tool, **arguments)).text
    except ToolError as error:
        return f"{error.code}: {error.text}"


async def test_the_cluster_decides_for_each_caller(callers: Callers) -> None:
    here = {"namespace": callers.scratch.namespace}
    callers.scratch.make("Secret", "key", stringData={"word": "w"})
    assert "key" in (await callers.alice.ask("list", kind="secrets", **here)).text
    refused = await error_of(callers.bob.ask("list", kind="secrets", **here))
    assert refused.code == "forbidden"
    assert f"{callers.scratch.namespace}:bob" in refused.text
    assert "actor" in (await callers.bob.ask("list", kind="serviceaccounts", **here)).text


async def test_neither_the_server_nor_a_user_it_may_not_be_sees_anything(callers: Callers) -> None:
    here = {"namespace": callers.scratch.namespace}
    own = await error_of(callers.server.ask("list", kind="serviceaccounts", target="own", **here))
    assert own.code == "forbidden"
    carol = await error_of(callers.carol.ask("list", kind="serviceaccounts", **here))
    assert carol.code == "forbidden"
    assert "cannot impersonate" in carol.text
    nobody = await error_of(callers.server.ask("list", kind="serviceaccounts", **here))
    assert nobody.code == "denied_by_policy"
    assert "'local' (local) is no user of this cluster by kubernetes.targets.lab.impersonate" in nobody.text


async def test_the_cluster_takes_the_caller_for_who_it_is(callers: Callers) -> None:
    prefix = callers.scratch.namespace
    told = await callers.alice.ask("access", view="whoami")
    assert f"user: {prefix}:alice\n" in told.text
    assert "groups: system:authenticated" in told.text
    member = as_caller(callers.server, "bob", "team-a", "staff", "system:masters")
    grouped = await member.ask("access", view="whoami")
    assert f"user: {prefix}:bob\n" in grouped.text
    assert f"groups: {prefix}:team-a, system:authenticated\n" in grouped.text


async def test_a_group_of_the_caller_gives_its_rights(callers: Callers) -> None:
    allow(callers.scratch, "team-a", "edit", group=True)
    member = as_caller(callers.server, "bob", "team-a")
    here = {"namespace": callers.scratch.namespace}
    assert (await error_of(callers.bob.ask("list", kind="secrets", **here))).code == "forbidden"
    await member.ask("list", kind="secrets", **here)


async def test_questions_about_rights_are_about_the_callers(callers: Callers) -> None:
    prefix = callers.scratch.namespace
    asked = {"view": "can_i", "verb": "create", "resource": "pods", "namespace": prefix}
    assert (
        f"yes: user {prefix}:alice, as whom this server acts, may create pods"
        in (await callers.alice.ask("access", **asked)).text
    )
    assert (
        f"no: user {prefix}:bob, as whom this server acts, may not" in (await callers.bob.ask("access", **asked)).text
    )
    rows = {row[0].partition(" ")[0]: row for row in (await callers.alice.ask("clusters")).rows}
    assert [rows[name][-2] for name in ("lab", "own")] == [f"impersonates {prefix}:alice", "server"]


async def test_a_command_runs_for_whom_the_cluster_lets(callers: Callers) -> None:
    make_pod(callers.scratch)
    answer = await run(callers.alice, callers.scratch, "echo", "told")
    assert "\ntold\n</untrusted>" in answer.text
    refused = await error_of(run(callers.bob, callers.scratch, "echo", "told"))
    assert refused.code == "forbidden"
    assert f"{callers.scratch.namespace}:bob" in refused.text


async def test_a_wait_sees_what_its_caller_may_watch(callers: Callers) -> None:
    make_pod(callers.scratch)
    asked = {"kind": "pod", "name": "box", "namespace": callers.scratch.namespace, "until": "ready"}
    assert "box" in (await callers.bob.ask("wait", **asked)).text
    secret = {"kind": "secret", "name": "none", "namespace": callers.scratch.namespace, "until": "deleted"}
    assert (await error_of(callers.bob.ask("wait", **secret))).code == "forbidden"


async def test_a_forward_stays_its_callers_when_its_call_has_long_ended(callers: Callers) -> None:
    scratch = callers.scratch
    make_pod(scratch)
    asked = {"mode": "forward", "kind": "pod", "name": "box", "namespace": scratch.namespace, "port": "80"}
    assert (await error_of(callers.bob.ask("connect", **asked))).code == "forbidden"
    opened = await callers.alice.ask("connect", **asked)
    assert "box" not in (await callers.bob.ask("connect", mode="list")).text
    scratch.api.delete(scratch.path(f"{RBAC}/v1", "rolebindings", "alice-edit"))
    listed = ""
    for _ in range(50):
        assert await asked_of(as_int(opened.result.facts["port"]), b"") == b""
        listed = (await callers.alice.ask("connect", mode="list")).text
        if "forbidden" in listed:
            break
    assert f'User "{scratch.namespace}:alice" cannot' in listed


async def test_two_callers_at_the_same_time_never_see_what_is_the_others(callers: Callers) -> None:
    """Lists, objects, findings and capacities, asked by both in the same moment, again and again."""
    scratch = callers.scratch
    scratch.make("Secret", "key", stringData={"word": "w"})
    make_pod(scratch)
    here = {"namespace": scratch.namespace}

    async def one_round() -> None:
        asked: list[tuple[str, dict[str, object]]] = [
            ("list", {"kind": "secrets", **here}),
            ("get", {"kind": "secret", "name": "key", **here}),
            ("access", {"view": "whoami"}),
            ("list", {"kind": "pods", **here}),
            ("list", {"kind": "pods", "namespace": scene.SHOP}),
        ]
        both = [told(desk, tool, **arguments) for tool, arguments in asked for desk in (callers.bob, callers.alice)]
        answers = await asyncio.gather(*both)
        bob, alice = answers[::2], answers[1::2]
        assert ["forbidden" in text for text in bob] == [True, True, False, False, True]
        assert ["forbidden" in text for text in alice] == [False, False, False, False, True]
        assert not any(f"{scratch.namespace}:alice" in text for text in bob)
        assert not any(f"{scratch.namespace}:bob" in text for text in alice)

    for _ in range(ROUNDS):
        await one_round()


async def test_kinds_that_are_kept_for_the_server_are_asked_for_each_caller(callers: Callers) -> None:
    make_pod(callers.scratch)
    for _ in range(3):
        assert "list pods in" not in await told(callers.bob, "diagnose", namespace=callers.scratch.namespace)
        assert f"list pods in {scene.SHOP}: status 403" in await told(callers.bob, "diagnose", namespace=scene.SHOP)
    service = cast("KubernetesService", callers.server.service)
    assert not service.watched._stores


async def test_a_cluster_where_the_caller_is_nobody_is_left_out_of_several(lab: LabEnv, callers: Callers) -> None:
    targets = {
        "lab": {"kubeconfig": str(lab.kubeconfig_admin)},
        "closed": acting_target(lab.kubeconfig_admin, callers.scratch),
    }
    async with clusters(settings={"targets": targets}) as desk:
        here = {"namespace": callers.scratch.namespace, "target": "*"}
        for tool, arguments in (("list", {"kind": "serviceaccounts"}), ("events", {}), ("diagnose", {})):
            assert "closed: denied_by_policy" in (await desk.ask(tool, **arguments, **here)).text
        shown = await desk.ask("clusters")
        assert "closed was not asked: denied_by_policy: caller 'local' (local) is no user" in shown.text


async def test_capacities_are_those_that_each_caller_may_count(callers: Callers) -> None:
    group = as_caller(callers.server, "bob", "team-a")
    name = f"{callers.scratch.namespace}-counts"
    metadata = {"name": name}
    rules = [{"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["list"]}]
    kind = {"apiVersion": f"{RBAC}/v1", "metadata": metadata}
    subject = {"apiGroup": RBAC, "kind": "Group", "name": f"{callers.scratch.namespace}:team-a"}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    callers.scratch.api.apply({**kind, "kind": "ClusterRole", "rules": rules})
    callers.scratch.api.apply({**kind, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]})
    try:
        counted = (await group.ask("clusters", target="lab")).rows[0]
        hidden = (await callers.bob.ask("clusters", target="lab")).rows[0]
    finally:
        callers.scratch.api.delete(f"/apis/{RBAC}/v1/clusterrolebindings/{name}")
        callers.scratch.api.delete(f"/apis/{RBAC}/v1/clusterroles/{name}")
    assert (counted[3] != "", hidden[3]) == (True, "")


async def test_a_kubeconfig_that_impersonates_somebody_already_is_refused(
    lab: LabEnv, callers: Callers, tmp_path: Path
) -> None:
    content = yaml.safe_load(lab.kubeconfig_admin.read_text("utf-8"))
    content["users"][0]["user"]["as"] = "jane"
    file = tmp_path / "as.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"kubernetes\.targets\.lab\.identity.*excludes `as`"):
        async with clusters(settings={"targets": {"lab": acting_target(file, callers.scratch)}}):
            pass


async def test_the_server_itself_asks_whether_the_cluster_is_there(callers: Callers) -> None:
    probe = await callers.server.service.probe("lab", soon())
    assert probe.version.startswith("v1.")
