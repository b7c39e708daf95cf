from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, cast

import pytest

from cloud_native_mcp import __version__
from cloud_native_mcp.contract import yaml
from cloud_native_mcp.contract.json_values import as_dict, as_list, dig
from tests.promises import promise
from tests.samples.ledger.service import SHOP_TOKEN

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal


def _names(answer: dict[str, object]) -> list[str]:
    return [str(dig(tool, "name")) for tool in as_list(answer["tools"])]


def test_the_version_is_that_of_the_package(bare: Terminal) -> None:
    ran = bare.run("--version")
    assert (ran.code, ran.out.strip()) == (0, __version__)


def test_help_imports_no_engine_and_no_client() -> None:
    look = (
        "import sys; from cloud_native_mcp.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'mcp', 'aiohttp', 'uvicorn', 'starlette', 'pydantic', 'cryptography'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, timeout=60)
    assert "serve" in shown.stdout
    assert shown.stdout.strip().endswith("[]")


def test_tools_needs_no_configuration_and_shows_every_service(bare: Terminal) -> None:
    ran = bare.run("tools", "--toolset", "extended", "--effects", "read,write,destroy", "--json")
    assert ran.code == 0, ran.err
    assert {name.partition("_")[0] for name in _names(ran.json)} >= {"kubernetes", "prometheus", "utilities"}
    core = bare.run("tools", "--json")
    assert set(_names(core.json)) < set(_names(ran.json))


def test_tools_of_a_configuration_are_those_of_the_services_that_run(terminal: Terminal) -> None:
    ran = terminal.run("tools", "--endpoint", "ledger", "--effects", "read,write,destroy", "--json")
    assert _names(ran.json)[:3] == ["ledger_list", "ledger_add", "ledger_remove"]
    assert {name.partition("_")[0] for name in _names(ran.json)} == {"ledger"}
    assert _names(terminal.run("tools", "--json").json) == ["ledger_list"]


def test_the_table_of_tools_shows_name_effect_and_description(terminal: Terminal) -> None:
    ran = terminal.run("tools", "--endpoint", "ledger", "--effects", "read,write,destroy")
    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0] == ["TOOL", "EFFECT", "DESCRIPTION"]
    assert [line[:2] for line in lines[1:4]] == [
        ["ledger_list", "read"],
        ["ledger_add", "write"],
        ["ledger_remove", "destroy"],
    ]


def test_an_unknown_endpoint_is_wrong_usage(terminal: Terminal) -> None:
    for command in (("tools", "--endpoint", "absent"), ("stdio", "--endpoint", "absent")):
        ran = terminal.run(*command)
        assert ran.code == 2
        assert "absent" in ran.err
        assert "ledger" in ran.err


def test_a_call_goes_through_the_pipeline_and_prints_the_answer(terminal: Terminal) -> None:
    ran = terminal.run("call", "ledger_list", "limit:=2", "search=entry")
    assert (ran.code, ran.err) == (0, "")
    assert "entry 2" in ran.out
    assert "entry 3" not in ran.out
    assert "cursor" in ran.out
    (record,) = (json.loads(line) for line in (terminal.folder / "audit.jsonl").read_text("utf-8").splitlines())
    assert (record["tool"], record["door"], record["principal"]) == ("ledger_list", "cli", "local")


def test_a_call_as_json_is_what_a_client_would_get(terminal: Terminal) -> None:
    ran = terminal.run("call", "ledger_list", "--json")
    assert ran.code == 0
    (content,) = as_list(ran.json["content"])
    assert as_dict(content)["type"] == "text"
    assert ran.json["isError"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ledger_list", "limit=0"), "limit"),
        (("ledger_list", "serach=x"), "search"),
        (("ledger_fail", "how=backend"), "ink is out"),
        (("ledger_add", "what=x"), "effect_not_allowed"),
        (("ledger_lst",), "did you mean ledger_list?"),
    ],
)
def test_a_refused_or_failed_call_ends_with_one_and_says_why(
    terminal: Terminal, arguments: tuple[str, ...], words: str
) -> None:
    ran = terminal.run("call", *arguments)
    assert ran.code == 1
    assert ran.out == ""
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_fault_of_a_tool_shows_neither_stack_nor_secret(terminal: Terminal) -> None:
    ran = terminal.run("call", "ledger_fail", "how=fault", "--json")
    assert ran.code == 1
    assert "Traceback" not in ran.out
    assert SHOP_TOKEN not in ran.out + ran.err


@pytest.mark.parametrize("argument", ["novalue", "=x", "a:={", ":=1"])
def test_a_malformed_argument_is_wrong_usage(bare: Terminal, argument: str) -> None:
    ran = bare.run("call", "ledger_list", argument)
    assert ran.code == 2


def test_an_argument_given_twice_is_wrong_usage(bare: Terminal) -> None:
    ran = bare.run("call", "ledger_list", "limit=1", "limit=2")
    assert ran.code == 2
    assert "limit is given twice" in ran.err


def test_effects_switched_on_for_a_call_let_it_write(terminal: Terminal) -> None:
    ran = terminal.run("call", "ledger_add", "what=ink", "amount=5", "--effects", "read,write")
    assert (ran.code, ran.err) == (0, "")
    assert "added entry 4" in ran.out


def test_health_asks_the_backends_and_ends_with_one_when_a_service_failed(terminal: Terminal) -> None:
    good = terminal.run("health")
    assert good.code == 0
    assert good.out.splitlines()[1].split()[:4] == ["ledger", "main", "reachable", "1.2.3"]
    bad = terminal.run("health", "--json", "--set", "ledger.refuse_start=true")
    assert bad.code == 1
    (service,) = cast("list[dict[str, object]]", json.loads(bad.out))
    assert service["state"] == "failed"
    assert "canary" not in bad.out + bad.err


@promise("B20")
@pytest.mark.parametrize("command", [("serve",), ("stdio",), ("config", "check"), ("config", "show"), ("tools",)])
def test_a_bad_configuration_ends_with_two_and_every_problem(bare: Terminal, command: tuple[str, ...]) -> None:
    bare.configure("server: {port: high}\nledgr: {}\nauth: {mode: [none, api_key]}\n")
    ran = bare.run(*command)
    assert ran.code == 2
    assert ran.out == ""
    for path in ("server.port:", "ledgr:", "auth.mode:"):
        assert path in ran.err
    assert "Traceback" not in ran.err


@promise("B20")
def test_an_open_server_on_the_network_does_not_start(bare: Terminal) -> None:
    ran = bare.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert ran.code == 2
    assert "server.host" in ran.err


@promise("B20")
def test_a_missing_file_that_was_asked_for_ends_with_two(bare: Terminal) -> None:
    ran = bare.run("config", "check", "--config", "absent.yaml")
    assert ran.code == 2
    assert "absent.yaml: No such file" in ran.err


def test_config_check_tells_which_services_are_on(terminal: Terminal) -> None:
    ran = terminal.run("config", "check", "--set", "prometheus.targets.main.url=http://127.0.0.1:1")
    assert ran.code == 0
    states = dict(line.split(": ", 1) for line in ran.out.splitlines()[1:])
    assert {name.strip(): state for name, state in states.items()} == {
        "helm": "off",
        "kubernetes": "off",
        "prometheus": "on",
        "utilities": "off",
        "ledger": "on",
    }


@promise("S5")
def test_config_show_prints_the_whole_configuration_without_a_secret(terminal: Terminal) -> None:
    ran = terminal.run("config", "show")
    assert ran.code == 0
    shown = as_dict(yaml.load_one(ran.out, field="shown"))
    assert dig(shown, "ledger", "targets", "main", "pin") == "***"
    assert dig(shown, "auth", "api_keys", "tester", "key") == "***"
    assert dig(shown, "server", "port") == 8765
    assert "canary" not in ran.out
    assert "tester-key" not in ran.out


def test_config_schema_describes_the_sections_of_plugins_too(terminal: Terminal) -> None:
    ran = terminal.run("config", "schema")
    assert ran.code == 0
    assert {"server", "prometheus", "ledger"} <= set(as_dict(ran.json["properties"]))
