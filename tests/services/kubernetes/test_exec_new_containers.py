"""kubernetes_exec with an image: debug containers and temporary pods in the lab, read back with the API.

How each image ends there is in `lab/conf/commands.yaml`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from lab.probes import wait_until
from tests.contract_servers.channels import V4, V5, reading
from tests.contract_servers.kubelet_proxy import in_front
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.pods_to_run_in import make_pod, run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

TOOLS = "registry.example.com/tools"
POLICY = {"exec": {"images": [f"{TOOLS}/*"]}}


@pytest.fixture
async def operator(lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service as an administrator whose operator permits some images."""
    async with clusters(lab=lab.kubeconfig_admin, policy=POLICY) as running:
        yield running


def pods_in(scratch: Scratch) -> list[dict[str, Any]]:
    """The pods of the namespace that are not on their way out."""
    pods = scratch.api.items(scratch.path("v1", "pods"))
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


async def running_pod(scratch: Scratch) -> dict[str, Any]:
    """The only pod of the namespace, once it runs."""

    def runs() -> bool:
        return [pod["status"].get("phase") for pod in pods_in(scratch)] == ["Running"]

    await asyncio.to_thread(wait_until, "the temporary pod", runs, within=30)
    return pods_in(scratch)[0]


async def test_a_temporary_pod_answers_code_and_output_and_is_gone(operator: Desk, scratch: Scratch) -> None:
    answer = await run(operator, scratch, "any", name=None, image=f"{TOOLS}/fails:1.0")
    assert answer.text.startswith('exit code 3: ["any"] in temporary pod run-')
    assert "INFO request id=0 method=GET" in answer.text
    assert "stdout holds standard error as well" in answer.text
    assert pods_in(scratch) == []


async def test_the_restricted_standard_admits_a_temporary_pod(operator: Desk, scratch: Scratch) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    scratch.api.merge(f"/api/v1/namespaces/{scratch.namespace}", {"metadata": {"labels": labels}})
    answer = await run(operator, scratch, "any", name=None, image=f"{TOOLS}/done:1.0")
    assert answer.text.startswith("exit code 0")


async def test_a_temporary_pod_has_no_token_and_bounds_and_goes_when_the_call_is_cancelled(
    operator: Desk, scratch: Scratch
) -> None:
    task = asyncio.create_task(run(operator, scratch, "sleep", "9", name=None, image=f"{TOOLS}/stays:1.0"))
    pod = await running_pod(scratch)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["restartPolicy"] == "Never"
    assert 24 <= spec["activeDeadlineSeconds"] <= 40
    assert container["command"] == ["sleep", "9"]
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "256Mi"}
    assert pods_in(scratch) == []


async def test_a_temporary_pod_whose_time_is_over_gives_its_output_and_goes(operator: Desk, scratch: Scratch) -> None:
    answer = await run(operator, scratch, "sleep", "9", name=None, image=f"{TOOLS}/stays:1.0", timeout_seconds=2)
    assert answer.text.startswith("timeout after 2 s")
    assert "INFO request id=0 method=GET" in answer.text
    assert pods_in(scratch) == []


@pytest.mark.parametrize(
    ("image", "code", "words"),
    [
        ("missing", "image_pull", "ErrImagePull"),
        ("no-program", "command_not_found", "executable file not found"),
    ],
)
async def test_a_temporary_pod_that_cannot_start_says_why_and_goes(
    operator: Desk, scratch: Scratch, image: str, code: str, words: str
) -> None:
    error = await error_of(run(operator, scratch, "nope", name=None, image=f"{TOOLS}/{image}:1.0"))
    assert error.code == code
    assert words in error.text
    assert pods_in(scratch) == []


async def test_why_the_kernel_ended_a_command_is_said(operator: Desk, scratch: Scratch) -> None:
    answer = await run(operator, scratch, "any", name=None, image=f"{TOOLS}/killed:1.0")
    assert answer.text.startswith("exit code 137")
    assert "partial: OOMKilled" in answer.text


async def test_the_plan_of_a_new_container_makes_nothing_and_meets_admission(operator: Desk, scratch: Scratch) -> None:
    make_pod(scratch)
    asked = {"namespace": scratch.namespace, "command": ["any"], "image": f"{TOOLS}/done:1.0"}
    temporary = await operator.ask("exec", **asked)
    debug = await operator.ask("exec", **asked, name="box")
    assert "in a temporary pod on lab" in temporary.text
    assert "a debug container beside container main of pod box" in debug.text
    assert "cannot be removed" in debug.text
    assert [pod["metadata"]["name"] for pod in pods_in(scratch)] == ["box"]
    assert "ephemeralContainers" not in scratch.read("v1", "pods", "box")["spec"]
    scratch.make("ResourceQuota", "none", spec={"hard": {"pods": "1"}})
    counted = scratch.path("v1", "resourcequotas", "none")
    wait_until("count of the quota", lambda: "used" in scratch.api.get(counted).get("status", {}), within=30)
    assert (await error_of(operator.ask("exec", **asked))).code == "quota_exceeded"


async def test_a_debug_container_runs_beside_the_chosen_one_and_stays(operator: Desk, scratch: Scratch) -> None:
    make_pod(scratch, "box", "main", "side")
    answer = await run(operator, scratch, "any", image=f"{TOOLS}/fails:1.0", container="side")
    assert answer.text.startswith("exit code 3")
    assert "cannot be removed from its pod" in answer.text
    made = scratch.read("v1", "pods", "box")["spec"]["ephemeralContainers"]
    assert len(made) == 1
    assert made[0]["targetContainerName"] == "side"
    assert made[0]["command"] == ["any"]
    assert made[0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65_532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


async def test_a_debug_container_runs_as_the_user_of_its_neighbour(operator: Desk, scratch: Scratch) -> None:
    container = {"name": "main", "image": "registry.example.com/box:1.0", "securityContext": {"runAsUser": 1234}}
    scratch.make("Pod", "box", spec={"containers": [container]})
    await run(operator, scratch, "any", image=f"{TOOLS}/done:1.0")
    made = scratch.read("v1", "pods", "box")["spec"]["ephemeralContainers"][0]
    assert made["securityContext"]["runAsUser"] == 1234


async def test_an_image_that_cannot_be_pulled_is_named(operator: Desk, scratch: Scratch) -> None:
    make_pod(scratch)
    error = await error_of(run(operator, scratch, "any", image=f"{TOOLS}/missing:1.0"))
    assert (error.code, error.kind) == ("image_pull", "fix")
    assert f"{TOOLS}/missing:1.0" in error.text


@pytest.mark.parametrize("protocol", [V5, V4])
async def test_a_new_container_gets_its_input_once_it_runs(lab: LabEnv, scratch: Scratch, protocol: str) -> None:
    make_pod(scratch)
    given, ended = bytearray(), asyncio.Event()
    attach = f"{scratch.path('v1', 'pods', 'box')}/attach"
    overrides = {attach: reading(given, ended, spoken=[protocol])}
    async with in_front(lab.kubeconfig_admin, overrides=overrides, policy=POLICY) as (desk, _):
        task = asyncio.create_task(run(desk, scratch, "cat", image=f"{TOOLS}/stays:1.0", stdin="some input\n"))
        await asyncio.to_thread(wait_until, "the container", lambda: bool(debug_containers(scratch)), within=30)
        assert debug_containers(scratch)[0]["stdinOnce"] is True
        set_state(scratch, {"running": {"startedAt": "2026-01-01T00:00:00Z"}})
        await ended.wait()
        set_state(scratch, {"terminated": {"exitCode": 7, "reason": "Error"}})
        answer = await task
    assert given == b"some input\n"
    assert answer.text.startswith("exit code 7")


def debug_containers(scratch: Scratch) -> list[dict[str, Any]]:
    """The debug containers of ``box``."""
    return scratch.read("v1", "pods", "box")["spec"].get("ephemeralContainers", [])


def set_state(scratch: Scratch, state: dict[str, Any]) -> None:
    """Say as a kubelet how the debug container of ``box`` is."""
    made = debug_containers(scratch)[0]
    status = {"name": made["name"], "image": made["image"], "imageID": "", "ready": False, "restartCount": 0}
    statuses = [{**status, "state": state}]
    path = f"{scratch.path('v1', 'pods', 'box')}/status"
    scratch.api.merge(path, {"status": {"ephemeralContainerStatuses": statuses}})
