"""What destroys is asked about at a terminal, on the lab's cluster, and read back with the API."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.probes import wait_until
from tests.cli.terminal import COMMAND
from tests.services.kubernetes.scratch import scratch_in

if TYPE_CHECKING:
    from collections.abc import Generator

    from lab import LabEnv
    from tests.cli.terminal import Terminal
    from tests.services.kubernetes.scratch import Scratch

pytestmark = pytest.mark.lab

QUESTION = b"Do it? [y/N]"


@pytest.fixture
def scratch(lab: LabEnv) -> Generator[Scratch]:
    """A namespace with one ConfigMap."""
    with scratch_in(Path(lab["LAB_STATE"])) as made:
        made.make("ConfigMap", "old")
        yield made


@pytest.fixture
def operator(bare: Terminal, lab: LabEnv) -> Terminal:
    """A terminal whose one service is the lab's cluster, with nothing forbidden."""
    bare.configure(
        f"kubernetes: {{targets: {{lab: {{kubeconfig: {lab.kubeconfig_admin}}}}}}}\n"
        "utilities: {enabled: false}\n"
        "auth: {api_keys: {tester: {key: tester-key-0123456789}}}\n"
        "audit: {file: audit.jsonl}\n"
    )
    return bare


def deletion(scratch: Scratch) -> list[str]:
    """The command line that deletes the ConfigMap."""
    arguments = ["kind=configmap", "name=old", f"namespace={scratch.namespace}"]
    return ["call", "--effects", "read,write,destroy", "kubernetes_delete", *arguments]


def answer(terminal: Terminal, arguments: list[str], said: bytes) -> tuple[int, str, str]:
    """Run a command at a pseudo terminal and answer its question: exit code, standard output, what was asked."""
    person, keyboard = pty.openpty()
    try:
        with subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=terminal.folder,
            env=terminal.environment,
            stdin=keyboard,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stderr is not None
            asked = b""
            while QUESTION not in asked and (part := os.read(process.stderr.fileno(), 4_096)):
                asked += part
            os.write(person, said + b"\n")
            out, rest = process.communicate(timeout=60)
            return process.returncode, out.decode(), (asked + rest).decode()
    finally:
        os.close(person)
        os.close(keyboard)


def test_yes_at_the_terminal_carries_out_the_plan_that_was_shown(operator: Terminal, scratch: Scratch) -> None:
    code, out, asked = answer(operator, deletion(scratch), b"y")
    assert code == 0
    assert f"ConfigMap {scratch.namespace}/old" in asked
    assert "deleted 1 of 1 object" in out
    wait_until("the end of the ConfigMap", lambda: not scratch.there("v1", "configmaps", "old"), within=30)


@pytest.mark.parametrize("said", [b"n", b"", b"\x04"], ids=["no", "return", "end of input"])
def test_anything_but_yes_leaves_all_as_it_was(operator: Terminal, scratch: Scratch, said: bytes) -> None:
    code, out, asked = answer(operator, deletion(scratch), said)
    assert (code, out.strip()) == (1, "")
    assert "Aborted" in asked
    assert scratch.there("v1", "configmaps", "old")


def test_without_a_terminal_the_plan_is_answered_with_its_code_and_nothing_is_done(
    operator: Terminal, scratch: Scratch
) -> None:
    ran = operator.run(*deletion(scratch))
    assert ran.code == 0
    assert "with confirm: " in ran.out
    assert "set server.state_key" in ran.err
    assert scratch.there("v1", "configmaps", "old")


def test_a_code_is_good_for_another_process_where_there_is_a_state_key(operator: Terminal, scratch: Scratch) -> None:
    key = ["--set", f"server.state_key={'k' * 48}"]
    planned = operator.run(*deletion(scratch), *key)
    assert planned.err == ""
    code = planned.out.rpartition("confirm: ")[2].split()[0]
    done = operator.run(*deletion(scratch), f"confirm={code}", *key)
    assert (done.code, "deleted" in done.out) == (0, True)
    wait_until("the deletion", lambda: not scratch.there("v1", "configmaps", "old"), within=10)
