"""`cloud-native-mcp audit`: what this machine's server recorded, at the terminal."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.cli.terminal import COMMAND

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal

CONFIGURATION = """
plugins: [ledger]
kubernetes: {enabled: false}
utilities: {enabled: false}
ledger: {targets: {main: {entries: 3}}}
audit: {database: audit.db}
server: {effects: [read, write]}
"""


@pytest.fixture
def recorded(terminal: Terminal) -> Terminal:
    """A terminal at which three calls were made."""
    terminal.configure(CONFIGURATION)
    assert terminal.run("call", "ledger_list").code == 0
    assert terminal.run("call", "ledger_add", "what=a gift").code == 0
    assert terminal.run("call", "ledger_remove", "number=1").code == 1
    return terminal


def test_calls_are_shown_newest_first(recorded: Terminal) -> None:
    ran = recorded.run("audit", "query")
    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0][:4] == ["TIME", "PRINCIPAL", "TOOL", "EFFECT"]
    assert [line[2] for line in lines[1:]] == ["ledger_remove", "ledger_add", "ledger_list"]
    assert "effect_not_allowed" in ran.out


def test_a_page_goes_on_with_its_cursor(recorded: Terminal) -> None:
    first = recorded.run("audit", "query", "--limit", "2", "--json").json
    rest = recorded.run("audit", "query", "--json", "--cursor", str(first["cursor"])).json
    assert [one["tool"] for one in rest["records"]] == ["ledger_list"]  # type: ignore[index,attr-defined]


def test_calls_are_chosen_and_counted(recorded: Terminal) -> None:
    ran = recorded.run("audit", "query", "outcome=refused", "--from", "now-1h", "--json")
    assert [one["tool"] for one in ran.json["records"]] == ["ledger_remove"]  # type: ignore[index,attr-defined]
    counted = recorded.run("audit", "stats", "--json").json
    assert counted["total"] == 3
    assert "3 calls, 33.3% without success" in recorded.run("audit", "stats").out


def test_the_newest_records_are_shown_as_lines(recorded: Terminal) -> None:
    lines = [json.loads(line) for line in recorded.run("audit", "tail", "-n", "3").out.splitlines()]
    assert [(line["tool"], line["phase"]) for line in lines] == [
        ("ledger_add", "begin"),
        ("ledger_add", "end"),
        ("ledger_remove", "end"),
    ]


def test_what_comes_later_is_shown_until_it_is_ended(recorded: Terminal) -> None:
    command = [*COMMAND, "audit", "tail", "-n", "1", "-f"]
    with subprocess.Popen(
        command, cwd=recorded.folder, env=recorded.environment, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        watchdog = threading.Timer(30, following.kill)
        watchdog.start()
        assert json.loads(following.stdout.readline())["tool"] == "ledger_remove"
        recorded.run("call", "ledger_list")
        assert json.loads(following.stdout.readline())["tool"] == "ledger_list"
        following.send_signal(signal.SIGINT)
        assert following.wait(10) == 0
        watchdog.cancel()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["query", "tol=x"], "tol: is not known; did you mean tool?"),
        (["query", "--limit", "0"], "limit: must be a whole number"),
        (["stats", "--from", "some day"], "from: "),
        (["query", "tool"], "write NAME=VALUE"),
    ],
)
def test_a_wrong_question_is_told(recorded: Terminal, asked: list[str], told: str) -> None:
    ran = recorded.run("audit", *asked)
    assert ran.code == 2
    assert told in ran.err


def test_without_a_database_it_says_where_the_records_are(terminal: Terminal) -> None:
    ran = terminal.run("audit", "query")
    assert ran.code == 2
    assert "audit.jsonl holds them as JSON lines" in ran.err
