"""How kubernetes_exec reads a command's channels; a contract server sends what the lab's kubelets do not."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.contract_servers.channels import ERROR, STDERR, STDOUT, V4, V5, command, exited, not_run
from tests.contract_servers.kubelet_proxy import in_front
from tests.fault_server.behaviours import answer, html_login, reset
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.pods_to_run_in import make_pod, run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from lab import LabEnv
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.server import FaultServer
    from tests.services.kubernetes.scratch import Scratch


@pytest.fixture
def box(scratch: Scratch) -> Scratch:
    """A namespace with the pod ``box``."""
    make_pod(scratch)
    return scratch


@asynccontextmanager
async def kubelet(lab: LabEnv, box: Scratch, behaviour: Behaviour) -> AsyncGenerator[tuple[Desk, FaultServer]]:
    """The lab's API server, with that behaviour for commands in ``box``."""
    path = f"{box.path('v1', 'pods', 'box')}/exec"
    async with in_front(lab.kubeconfig_admin, overrides={path: behaviour}) as (desk, server):
        yield desk, server


@pytest.mark.parametrize("code", [0, 1, 42, 255])
async def test_the_exit_code_is_that_of_the_status(lab: LabEnv, box: Scratch, code: int) -> None:
    async with kubelet(lab, box, command((STDOUT, b"out\n"), (STDERR, b"err\n"), status=exited(code))) as (desk, _):
        answer = await run(desk, box, "any")
    assert answer.text.startswith(f"exit code {code}:")
    assert answer.result.partial == []


async def test_output_behind_the_status_is_read_too(lab: LabEnv, box: Scratch) -> None:
    early = command((STDOUT, b"first\n"), (ERROR, b'{"status":"Success"}'), (STDOUT, b"last\n"))
    async with kubelet(lab, box, early) as (desk, _):
        answer = await run(desk, box, "any")
    assert answer.text.startswith("exit code 0")
    assert "first\nlast\n" in answer.text


async def test_the_whole_input_comes_and_then_its_end(lab: LabEnv, box: Scratch) -> None:
    text = "0123456789abcde\n" * 16_000
    given = bytearray()
    async with kubelet(lab, box, command((STDOUT, b"took it\n"), status=exited(0), given=given)) as (desk, server):
        answer = await run(desk, box, "cat", stdin=text)
        sent = next(one for one in server.requests if one.path.endswith("/exec"))
    assert given.decode() == text
    assert "took it" in answer.text
    assert "stdin=true" in sent.target


async def test_a_server_that_knows_only_v4_runs_commands_without_input(lab: LabEnv, box: Scratch) -> None:
    old = command((STDOUT, b"fine\n"), status=exited(5), spoken=[V4])
    async with kubelet(lab, box, old) as (desk, server):
        answer = await run(desk, box, "any")
        offered = next(one for one in server.requests if one.path.endswith("/exec")).headers["sec-websocket-protocol"]
        error = await error_of(run(desk, box, "cat", stdin="text"))
    assert answer.text.startswith("exit code 5")
    assert offered.replace(" ", "") == f"{V5},{V4}"
    assert error.code == "unsupported"
    assert "leave out stdin" in error.text


async def test_the_words_of_a_container_runtime_tell_a_missing_program(lab: LabEnv, box: Scratch) -> None:
    said = (
        'error executing command in container: failed to exec in container: failed to start exec "5f": OCI runtime '
        'exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH'
    )
    async with kubelet(lab, box, command(status=not_run(said))) as (desk, _):
        error = await error_of(run(desk, box, "nope"))
    assert error.code == "command_not_found"
    assert "executable file not found" in error.text


@pytest.mark.parametrize(("code", "said"), [(126, b"sh: ./x: Permission denied\n"), (127, b"sh: x: not found\n")])
async def test_126_and_127_without_output_are_a_command_not_found(
    lab: LabEnv, box: Scratch, code: int, said: bytes
) -> None:
    async with kubelet(lab, box, command((STDERR, said), status=exited(code))) as (desk, _):
        error = await error_of(run(desk, box, "sh", "-c", "x"))
    assert error.code == "command_not_found"
    assert f"exit code {code}" in error.text
    assert said.decode().strip() in error.text


async def test_a_container_that_ended_meanwhile_is_not_running(lab: LabEnv, box: Scratch) -> None:
    said = 'unable to upgrade connection: container not found ("main")'
    async with kubelet(lab, box, command(status=not_run(said))) as (desk, _):
        error = await error_of(run(desk, box, "true"))
    assert error.code == "container_not_running"


async def test_a_failure_of_the_node_is_told_in_its_words(lab: LabEnv, box: Scratch) -> None:
    said = "error dialing backend: dial tcp 10.9.9.9:10250: i/o timeout"
    async with kubelet(lab, box, command(status=not_run(said))) as (desk, _):
        error = await error_of(run(desk, box, "true"))
    assert error.code == "backend_error"
    assert "dial tcp 10.9.9.9:10250" in error.text


async def test_a_stream_without_status_gives_what_came_and_says_so(lab: LabEnv, box: Scratch) -> None:
    async with kubelet(lab, box, command((STDOUT, b"half\n"))) as (desk, _):
        answer = await run(desk, box, "any")
    assert answer.text.startswith("the connection ended before the exit code came")
    assert "\nhalf\n" in answer.text
    assert "partial: unknown_outcome" in answer.text


@pytest.mark.parametrize("behaviour", [command(), reset()], ids=["closed", "reset before it opened"])
async def test_a_stream_without_anything_leaves_the_outcome_unknown(
    lab: LabEnv, box: Scratch, behaviour: Behaviour
) -> None:
    async with kubelet(lab, box, behaviour) as (desk, server):
        error = await error_of(run(desk, box, "any"))
        asked = [one for one in server.requests if one.path.endswith("/exec")]
    assert error.code == "unknown_outcome"
    assert len(asked) == 1


async def test_endless_output_is_left(lab: LabEnv, box: Scratch) -> None:
    flood = command(*[(STDOUT, b"y" * 65_000)] * 260, status=exited(0))
    async with kubelet(lab, box, flood) as (desk, _):
        answer = await run(desk, box, "yes")
    assert answer.text.startswith("too much output")
    assert "partial: output beyond what is read in one call" in answer.text
    assert len(answer.text) < 28_000


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (answer({"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}, status=403), "forbidden"),
        (answer(b"", status=403), "unsupported"),
        (html_login(), "bad_answer"),
        (answer(b"", status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}), "backend_error"),
    ],
    ids=["forbidden", "no such protocol", "a login page", "a redirect"],
)
async def test_what_comes_in_place_of_a_stream_is_an_error(
    lab: LabEnv, box: Scratch, behaviour: Behaviour, code: str
) -> None:
    async with kubelet(lab, box, behaviour) as (desk, _):
        error = await error_of(run(desk, box, "true"))
    assert error.code == code
