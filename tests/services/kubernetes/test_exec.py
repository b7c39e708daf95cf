"""kubernetes_exec on the lab's cluster, whose kubelets run commands as local processes: harmless ones only."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lab.probes import wait_until
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.pods_to_run_in import make_pod, run
from tests.services.kubernetes.scratch import deployment

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

BOTH = ("sh", "-c", "echo told; echo warned >&2; exit 3")


@pytest.fixture
def box(scratch: Scratch) -> Scratch:
    """A namespace with the pod ``box``."""
    make_pod(scratch)
    return scratch


async def test_exit_code_and_both_streams_are_answered(cluster: Desk, box: Scratch) -> None:
    answer = await run(cluster, box, *BOTH)
    assert answer.text.startswith('exit code 3: ["sh","-c",')
    assert f"in container main of pod box in {box.namespace} on lab" in answer.text
    assert "stdout (5 bytes):" in answer.text
    assert "\ntold\n</untrusted>" in answer.text
    assert "\nwarned\n</untrusted>" in answer.text
    assert answer.result.facts["exit_code"] == 3


async def test_the_output_is_what_kubectl_prints(lab: LabEnv, cluster: Desk, box: Scratch) -> None:
    words = ("printf", "%s|", "two words", "a&b=c", "ünï", "+%20", "")
    printed = await kubectl(lab, "exec", "-n", box.namespace, "box", "--", *words)
    answer = await run(cluster, box, *words)
    assert f"\n{printed}\n</untrusted>" in answer.text
    assert printed == "two words|a&b=c|ünï|+%20||"


async def test_success_without_output_says_so(cluster: Desk, box: Scratch) -> None:
    answer = await run(cluster, box, "true")
    assert answer.text.startswith('exit code 0: ["true"]')
    assert "no output" in answer.text


async def test_nothing_runs_before_the_plan_is_confirmed(cluster: Desk, box: Scratch, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    asked = {"name": "box", "namespace": box.namespace, "command": ["touch", str(mark)]}
    plan = await cluster.ask("exec", **asked)
    assert plan.result.confirm
    assert plan.text.startswith("would run")
    assert "registry.example.com/box:1.0" in plan.text
    other = {**asked, "command": ["touch", str(tmp_path / "other")]}
    assert (await error_of(cluster.ask("exec", **other, confirm=plan.result.confirm))).code == "plan_changed"
    assert not any((mark.exists(), mark.with_name("other").exists()))
    await cluster.ask("exec", **asked, confirm=plan.result.confirm)
    assert mark.exists()


async def test_a_pod_made_anew_is_not_what_was_confirmed(cluster: Desk, box: Scratch) -> None:
    asked = {"name": "box", "namespace": box.namespace, "command": ["true"]}
    plan = await cluster.ask("exec", **asked)
    box.api.delete(box.path("v1", "pods", "box"), grace=0)
    wait_until("the end of the pod", lambda: not box.there("v1", "pods", "box"), within=30)
    make_pod(box)
    assert (await error_of(cluster.ask("exec", **asked, confirm=plan.result.confirm))).code == "plan_changed"


async def test_standard_input_reaches_the_command(cluster: Desk, box: Scratch) -> None:
    answer = await run(cluster, box, "head", "-c", "11", stdin="grüße\nwelt and more")
    assert "stdout (11 bytes):" in answer.text
    assert "\ngrüße\nwel\n</untrusted>" in answer.text


async def test_the_default_container_is_that_of_the_annotation(cluster: Desk, scratch: Scratch) -> None:
    marks = {"kubectl.kubernetes.io/default-container": "second"}
    make_pod(scratch, "box", "first", "second", annotations=marks)
    assert "in container second of pod box" in (await run(cluster, scratch, "true")).text
    assert "in container first of pod box" in (await run(cluster, scratch, "true", container="first")).text
    error = await error_of(run(cluster, scratch, "true", container="frist"))
    assert (error.code, "first" in error.text) == ("not_found", True)
    assert (await error_of(run(cluster, scratch, "true", container="*"))).code == "invalid_argument"


async def test_a_workload_stands_for_its_first_ready_pod(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=2))
    await cluster.ask("wait", kind="deployment", name="web", namespace=scratch.namespace, until="ready")
    names = sorted(pod["metadata"]["name"] for pod in scratch.api.items(scratch.path("v1", "pods")))
    answer = await run(cluster, scratch, "true", kind="deployment", name="web")
    assert f"of pod {names[0]} in" in answer.text
    scratch.make("Deployment", "none", **deployment("none", replicas=0))
    error = await error_of(run(cluster, scratch, "true", kind="deployment", name="none"))
    assert (error.code, "it has no pods" in error.text) == ("container_not_running", True)


async def test_a_program_that_is_not_there_is_told_from_one_that_fails(cluster: Desk, box: Scratch) -> None:
    error = await error_of(run(cluster, box, "no-such-program"))
    assert (error.code, error.kind) == ("command_not_found", "fix")
    assert "executable file not found" in error.text
    shell = await error_of(run(cluster, box, "sh", "-c", "no-such-program"))
    assert (shell.code, "exit code 127" in shell.text) == ("command_not_found", True)
    later = await run(cluster, box, "sh", "-c", "echo begun; no-such-program")
    assert later.text.startswith("exit code 127")
    assert "there is no such program" in later.text
    assert "\nbegun\n" in later.text


async def test_when_the_time_is_over_the_output_so_far_is_given(cluster: Desk, box: Scratch) -> None:
    answer = await run(cluster, box, "sh", "-c", "echo begun; exec sleep 5", timeout_seconds=1)
    assert answer.text.startswith("timeout after 1 s")
    assert "\nbegun\n" in answer.text
    assert "partial: timeout: the command had not ended" in answer.text
    assert answer.result.facts["exit_code"] is None


async def test_long_output_is_cut_to_its_beginning_and_end(cluster: Desk, box: Scratch) -> None:
    if shutil.which("seq") is None:
        pytest.skip("this machine has no seq")
    answer = await run(cluster, box, "sh", "-c", "seq 1 100000; echo warned >&2; exit 4")
    assert answer.text.startswith("exit code 4")
    assert len(answer.text.encode()) <= 28_000
    assert "stdout (588895 bytes, cut):" in answer.text
    for line in ("1", "2000", "99000", "100000", "warned"):
        assert f"\n{line}\n" in answer.text
    assert "\n50000\n" not in answer.text
    assert "bytes left out" in answer.text


async def test_credentials_in_the_output_are_masked(cluster: Desk, box: Scratch) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----"
    script = "printf '%s\\n' \"$@\"; printf '%s\\n' \"$@\" >&2"
    answer = await run(cluster, box, "sh", "-c", script, "sh", "password=hunter2", key, "kept", "token: abcdefgh12345")
    for gone in ("hunter2", "MIIEvQ", "abcdefgh12345"):
        assert gone not in answer.text
    assert answer.text.count("\nkept\n") == 2


async def test_a_container_that_does_not_run_is_named_with_its_state(cluster: Desk, scratch: Scratch) -> None:
    make_pod(scratch, "box", "main", annotations={"lab/fate": "crash-loop"})
    error = await error_of(run(cluster, scratch, "true"))
    assert (error.code, error.kind) == ("container_not_running", "final")
    assert "CrashLoopBackOff" in error.text


async def test_a_refusal_names_the_verbs_that_are_needed(viewer: Desk, box: Scratch) -> None:
    error = await error_of(run(viewer, box, "true"))
    assert error.code == "forbidden"
    assert f"get and create on pods/exec in namespace {box.namespace}" in error.text


async def test_what_is_not_there_is_named_with_what_is_near(cluster: Desk, box: Scratch) -> None:
    error = await error_of(run(cluster, box, "true", name="boxx"))
    assert (error.code, "near: box" in error.text) == ("not_found", True)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"command": []}, "command"),
        ({"command": [" "]}, "command"),
        ({"command": ["x" * 16_000, "y" * 16_000, "z"]}, "command"),
        ({"command": ["true"], "stdin": "ü" * 130_000}, "stdin"),
        ({"command": ["true"], "stdin": "x" * 256_001}, "stdin"),
        ({"command": ["true"], "name": None}, "name"),
        ({"command": ["true"], "name": None, "image": "busybox", "container": "main"}, "container"),
        ({"command": ["true"], "timeout_seconds": 301}, "timeout_seconds"),
        ({"command": ["true"], "namespace": "Not_A_Name"}, "namespace"),
    ],
)
async def test_wrong_arguments_are_named_before_anything_is_asked(
    dead: Path, arguments: dict[str, object], field: str
) -> None:
    asked = {"name": "box", "namespace": "any", **arguments}
    async with clusters(dead=dead) as desk:
        error = await error_of(desk.ask("exec", **{key: value for key, value in asked.items() if value is not None}))
    assert error.code == "invalid_argument"
    assert field in error.text


LISTS = {"namespaces": ["team-*"], "commands": ["cat /etc/hosts", "df"], "images": ["registry.example.com/tools/*"]}


@pytest.mark.parametrize(
    ("arguments", "setting"),
    [
        ({"namespace": "other"}, "policy.exec.namespaces"),
        ({"command": ["cat", "/etc/shadow"]}, "policy.exec.commands"),
        ({"command": ["cat"]}, "policy.exec.commands"),
        ({"command": ["dfx"]}, "policy.exec.commands"),
        ({"image": "registry.example.com/other:1"}, "policy.exec.images"),
        ({"image": "evil.example.org/registry.example.com/tools/x"}, "policy.exec.images"),
        ({"namespace": "kube-system"}, "policy.allow"),
    ],
)
async def test_what_is_not_listed_is_refused_before_the_cluster_is_asked(
    dead: Path, arguments: dict[str, object], setting: str
) -> None:
    asked = {"name": "box", "namespace": "team-a", "command": ["df", "-h"], **arguments}
    async with clusters(policy={"exec": LISTS}, dead=dead) as desk:
        error = await error_of(desk.ask("exec", **asked))
        admitted = await error_of(desk.ask("exec", **{**asked, "namespace": "team-a", "command": ["df"], "image": ""}))
    assert (error.code, error.kind) == ("denied_by_policy", "final")
    assert f"kubernetes.targets.dead.{setting}" in error.text
    assert admitted.code == "unreachable"


async def test_without_a_list_of_images_no_new_container_is_made(dead: Path) -> None:
    async with clusters(dead=dead) as desk:
        error = await error_of(desk.ask("exec", namespace="any", command=["true"], image="busybox"))
    assert error.code == "denied_by_policy"
    assert "kubernetes.targets.dead.policy.exec.images" in error.text
