"""`cloud-native-mcp access explain` says whether, and by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal

POLICY = """
plugins: [ledger]
kubernetes: {enabled: false}
utilities: {enabled: false}
ledger: {targets: {main: {entries: 3}, other: {entries: 1}}}
auth: {api_keys: {ci: {key: tester-key-0123456789, groups: [builders]}}}
audit: {file: audit.jsonl}
server: {effects: [read, write]}
permissions:
  default: [viewer]
  roles:
    clerk:
      allow: [{services: [ledger], effects: [read, write], targets: [main]}]
      deny: [{tools: [ledger_secret]}]
  bindings: [{roles: [clerk], groups: [builders]}]
  require_human: [{tools: [ledger_add]}]
"""


@pytest.fixture
def ruled(terminal: Terminal) -> Terminal:
    terminal.configure(POLICY)
    return terminal


def test_an_allowed_call_is_explained_by_its_rule(ruled: Terminal) -> None:
    ran = ruled.run("access", "explain", "ci", "ledger_add", "what=x")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "allowed"
    assert "  roles of ci: clerk" in lines
    assert "  allowed on main by permissions.roles.clerk.allow[0]" in lines
    assert "  a person at the client has to agree (permissions.require_human)" in lines


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (["ci", "ledger_secret"], "unknown_tool", "denied on main by permissions.roles.clerk.deny[0]"),
        (["ci", "ledger_list", "target=other"], "denied_by_policy", "you may on main"),
        (["somebody", "ledger_add", "what=x"], "unknown_tool", "roles of somebody: viewer"),
        (["ci", "ledger_add", "what=x", "--scopes=read"], "effect_not_allowed", "not in scope"),
        (["ci", "ledger_add", "what=x", "--groups=others"], "unknown_tool", "roles of ci: viewer"),
        (["local", "ledger_remove", "number=1"], "effect_not_allowed", "the server allows: read, write"),
        (["ci", "ledger_nothing"], "unknown_tool", "there is no tool ledger_nothing"),
        (["ci", "ledger_add", "waht=x"], "invalid_argument", "did you mean what?"),
    ],
)
def test_a_refused_call_is_explained(ruled: Terminal, asked: list[str], code: str, told: str) -> None:
    ran = ruled.run("access", "explain", *asked)
    assert ran.code == 1
    assert ran.out.splitlines()[0] == f"refused: {code}"
    assert told in ran.out


def test_the_explanation_is_to_be_had_as_json(ruled: Terminal) -> None:
    ran = ruled.run("access", "explain", "ci", "ledger_list", "--json")
    assert ran.json["allowed"] is True
    assert "roles of ci: clerk" in ran.json["reasons"]  # type: ignore[operator]


def test_a_call_at_the_terminal_that_needs_a_person_who_is_not_there_fails(ruled: Terminal) -> None:
    ran = ruled.run("call", "ledger_add", "what=x")
    assert ran.code == 1
    assert "a person has to agree" in ran.out
