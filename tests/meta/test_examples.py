"""The examples of the pages work: configurations load, programs compile, commands exist."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING

import orjson
import pytest

from cloud_native_mcp.app import offline_catalogue
from cloud_native_mcp.config.sources import load
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.routing.binding import bind
from cloud_native_mcp.routing.permissions.rights import UNLIMITED
from cloud_native_mcp.routing.request import AGGREGATE
from tests.meta.tree import ROOT, files, shown

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^( *)```([a-z]+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PYTHON_CALL = re.compile(r'call_tool\("(\w+)", (\{.*?\})\)')
_COMMAND_CALL = re.compile(r"cloud-native-mcp call (\w+)((?: \w+=[^\s`]+)*)")
_TARGETS = frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PAGES = [*sorted(ROOT.glob("*.md")), *files("docs", "src", suffix=".md")]
ENVIRONMENT = {
    "ANN_HASH": "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
    "MY_MCP_KEY": "k" * 32,
    "STATE_KEY": "s" * 32,
    "OLD_STATE_KEY": "o" * 32,
    "MIMIR_TOKEN": "t" * 32,
    "REGISTRY_PASSWORD": "r" * 32,
}


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [textwrap.dedent(text) for _, name, text in found if name == language]


def examples(language: str) -> list[object]:
    """All examples in one language, as parameters of a test."""
    found = [(page, number, text) for page in PAGES for number, text in enumerate(blocks(page, language), start=1)]
    return [pytest.param(text, id=f"{shown(page)}-{number}") for page, number, text in found]


@pytest.mark.parametrize("text", examples("yaml"))
def test_a_configuration_loads(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    load(file, ENVIRONMENT, {})


@pytest.mark.parametrize("text", examples("json"))
def test_a_client_configuration_is_json(text: str) -> None:
    assert orjson.loads(text)


@pytest.mark.parametrize("text", examples("python"))
def test_a_program_compiles(text: str) -> None:
    compile(text, "example", "exec")


@pytest.mark.parametrize("text", examples("sh"))
def test_a_make_target_exists(text: str) -> None:
    named = set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE))
    assert named <= _TARGETS


def called_tools() -> list[object]:
    """Every call of a tool that a page shows, from Python or from the command line, as parameters of a test."""
    found: list[object] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        calls = [(name, ast.literal_eval(arguments)) for name, arguments in _PYTHON_CALL.findall(text)]
        for name, words in _COMMAND_CALL.findall(text):
            calls.append((name, dict(word.split("=", 1) for word in words.split())))
        found += [pytest.param(name, arguments, id=f"{shown(page)}-{name}") for name, arguments in calls]
    return found


@pytest.mark.parametrize(("name", "arguments"), called_tools())
def test_a_call_of_a_tool_has_the_arguments_the_tool_takes(name: str, arguments: dict[str, object]) -> None:
    catalogue = offline_catalogue(Effect, "extended")
    assert bind(catalogue.resolve(AGGREGATE, name, UNLIMITED), arguments).given == frozenset(arguments)


def test_inline_make_targets_exist() -> None:
    named = {
        (shown(page), t) for page in PAGES for t in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert {entry for entry in named if entry[1] not in _TARGETS} == set()
