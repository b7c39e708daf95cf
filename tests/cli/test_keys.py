"""The life of API keys from the command line, with a server that runs meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.cli.terminal import CONFIGURATION
from tests.cli.test_serving import served
from tests.transport.serving import eventually
from tests.transport.wire import LEGACY, base_headers, request

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal

STATE_KEY = "0123456789abcdef0123456789abcdef"
KEYED = CONFIGURATION.replace("auth: {", "auth: {key_file: keys.json, ") + f"server: {{state_key: {STATE_KEY}}}\n"


@pytest.fixture
def keyed(bare: Terminal) -> Terminal:
    bare.configure(KEYED)
    return bare


def _listed(terminal: Terminal) -> list[tuple[str, str]]:
    ran = terminal.run("keys", "list", "--json")
    assert ran.code == 0, ran.err
    return [(key["id"], key["state"]) for key in json.loads(ran.out)]


def test_a_key_is_printed_once_and_alone_and_lists_never_show_it(keyed: Terminal) -> None:
    made = keyed.run("keys", "create", "ci", "--groups", "a,b", "--scopes", "read,helm:write", "--expires", "90d")
    key = made.out.strip()
    assert made.code == 0, made.err
    assert made.out == f"{key}\n"
    assert key not in made.err
    assert "shown this once" in made.err
    for listed in (keyed.run("keys", "list"), keyed.run("keys", "list", "--json"), keyed.run("config", "show")):
        assert listed.code == 0
        assert key[17:] not in listed.out + listed.err
    assert _listed(keyed) == [("tester", "active"), ("ci", "active")]
    row = next(line for line in keyed.run("keys", "list").out.splitlines() if line.startswith("ci"))
    assert key.split("_")[1] in row
    assert "a,b" in row
    assert "read,helm:write" in row


def test_a_running_server_takes_up_keys_that_are_made_rotated_and_revoked(keyed: Terminal) -> None:
    with served(keyed) as (_, port):

        def status(key: str) -> int:
            headers = {**base_headers(LEGACY), "X-API-Key": key}
            asked = request("tools/list")
            return httpx2.post(f"http://127.0.0.1:{port}/mcp", json=asked, headers=headers).status_code

        first = keyed.run("keys", "create", "ci").out.strip()
        assert eventually(lambda: status(first) == 200)
        second = keyed.run("keys", "rotate", "ci", "--overlap", "1h").out.strip()
        assert eventually(lambda: status(second) == 200)
        assert status(first) == 200
        assert _listed(keyed)[1:] == [("ci", "overlap"), ("ci", "active")]
        ended = keyed.run("keys", "revoke", first.split("_")[1])
        assert (ended.code, ended.out) == (0, "")
        assert eventually(lambda: status(first) == 401)
        assert status(second) == 200


def test_commands_at_the_same_time_lose_no_key(keyed: Terminal) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(keyed.run, "keys", "create", f"caller-{number}") for number in range(4)]
    assert [ran.result().code for ran in made] == [0] * 4
    assert sorted(_listed(keyed))[:4] == [(f"caller-{n}", "active") for n in range(4)]


def test_a_hash_stands_for_a_key_in_the_configuration(keyed: Terminal) -> None:
    hashed = keyed.run("keys", "hash", stdin="a-key-0123456789abcdef\n").out.strip()
    keyed.configure(KEYED.replace("tester-key-0123456789", "x").replace("key: x", f"key_hash: '{hashed}'"))
    assert _listed(keyed) == [("tester", "active")]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("create", "a b"), "ID: letters"),
        (("create", "tester"), "auth.api_keys"),
        (("create", "ci", "--scopes", "all"), "'all' is no scope"),
        (("create", "ci", "--expires", "soon"), "--expires: write a duration"),
        (("create", "ci", "--expires", "2020-01-01"), "never be good"),
        (("rotate", "ci"), "keys create ci"),
        (("rotate", "ci", "--overlap", "long"), "--overlap"),
        (("revoke", "ci"), "keys list"),
    ],
)
def test_wrong_usage_names_the_field_and_the_fix_and_changes_nothing(
    keyed: Terminal, arguments: tuple[str, ...], why: str
) -> None:
    ran = keyed.run("keys", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert why in " ".join(ran.err.replace("│", " ").split())
    assert _listed(keyed) == [("tester", "active")]


def test_an_id_that_has_a_key_gets_another_one_only_when_asked_for(keyed: Terminal) -> None:
    assert keyed.run("keys", "create", "ci").code == 0
    refused = keyed.run("keys", "create", "ci")
    assert refused.code == 2
    assert "--another" in refused.err
    assert keyed.run("keys", "create", "ci", "--another").code == 0


def test_without_a_key_file_or_a_state_key_the_setting_is_named(terminal: Terminal) -> None:
    ran = terminal.run("keys", "create", "ci")
    assert (ran.code, "auth.key_file" in ran.err) == (2, True)
    terminal.configure(CONFIGURATION.replace("auth: {", "auth: {key_file: keys.json, "))
    ran = terminal.run("keys", "create", "ci")
    assert ran.code == 2
    assert "auth.key_file: needs server.state_key" in ran.err


def test_health_warns_of_a_key_that_ends_soon(keyed: Terminal) -> None:
    keyed.run("keys", "create", "ci", "--expires", "2d")
    ran = keyed.run("health")
    assert ran.code == 0, ran.err
    assert "API key ci" in ran.err
    assert "is expiring" in ran.err
