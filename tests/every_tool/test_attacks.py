"""Texts that attack, in every text argument of every tool: shell signs, options, paths, invisible characters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.json_values import as_dict
from tests.every_tool.arguments import OPTIONS, PATHS, SHELL, USUAL, plain, text_arguments
from tests.every_tool.watch import watching
from tests.promises import promise
from tests.server_fixtures import lines_of
from tools.lists import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.every_tool.answers import Desk
    from tests.every_tool.conftest import Scripted

ENTRIES = {entry.name: entry for entry in catalogue()}
INVISIBLE = ("shop\u202e", "sh\u200bop", "shop\ufeff", "\u2066shop\u2069", "shop\x1b[31m")
HALF = "shop\ud800"
WITH_TEXT = sorted(tool for tool, entry in ENTRIES.items() if text_arguments(entry.schema))
NAMES = ("name", "namespace")
NAMED = {
    entry.name: [name for name in NAMES if name in as_dict(entry.schema["properties"])]
    for entry in ENTRIES.values()
    if entry.service == "kubernetes"
}
"""The arguments of the tools of Kubernetes that name an object or a namespace."""


def _calls(tool: str, texts: Sequence[str]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The tool with each text in each text argument, what it requires besides being plain."""
    schema = ENTRIES[tool].schema
    for name, wrap in text_arguments(schema).items():
        for text in texts:
            yield tool, plain(schema) | {name: wrap(text)}


@promise("S2")
@promise("S3")
@pytest.mark.lab
@pytest.mark.parametrize("tool", WITH_TEXT)
async def test_shell_signs_and_options_start_no_program_and_are_text_or_refused(watcher: Desk, tool: str) -> None:
    calls = list(_calls(tool, (*SHELL, *OPTIONS)))
    with watching() as started:
        answers = await watcher.ask_all(calls)
    assert started == []
    for answer in answers:
        watcher.inspect(answer)
        assert "uid=" not in answer.text
        assert "root:x:0" not in answer.text


@promise("B11")
@pytest.mark.parametrize("tool", [tool for tool, names in sorted(NAMED.items()) if names])
async def test_what_is_no_name_is_refused_and_the_backend_sees_nothing_of_it(scripted: Scripted, tool: str) -> None:
    for name in NAMED[tool]:
        for text in (*PATHS, *SHELL, *OPTIONS):
            answer = await scripted.desk.ask(tool, _whole(tool) | {name: text})
            scripted.desk.inspect(answer)
            assert answer.text.startswith(f"invalid_argument: {name}: "), answer
    assert scripted.asked() == []


@promise("B11")
@pytest.mark.parametrize("tool", [tool for tool, names in sorted(NAMED.items()) if names])
async def test_a_right_name_does_reach_the_backend(scripted: Scripted, tool: str) -> None:
    for name in NAMED[tool]:
        before = len(scripted.asked())
        answer = await scripted.desk.ask(tool, _whole(tool) | {name: "web-1"})
        assert answer.code != "invalid_argument", answer
        assert len(scripted.asked()) > before


@promise("B22")
@pytest.mark.parametrize("tool", WITH_TEXT)
async def test_invisible_characters_are_taken_in_free_text_only_and_half_characters_nowhere(
    away: Desk, tool: str
) -> None:
    properties = ENTRIES[tool].properties
    for name, wrap in text_arguments(ENTRIES[tool].schema).items():
        required = plain(ENTRIES[tool].schema)
        for text in INVISIBLE:
            answer = await away.ask(tool, required | {name: wrap(text)})
            away.inspect(answer)
            if not properties[name].free_text:
                assert answer.code in {"invalid_argument", "invalid_selector"}, answer
                assert answer.text.partition(": ")[2].startswith(f"{name}: "), answer
        answer = await away.ask(tool, required | {name: wrap(HALF)})
        assert answer.text.startswith(f"invalid_argument: {name}: "), answer


@promise("B22")
async def test_what_attacks_in_any_argument_is_escaped_in_the_audit(away: Desk, tmp_path: Path) -> None:
    calls = [call for tool in ENTRIES for call in _calls(tool, (*INVISIBLE, HALF, "x\ny", '","outcome":"ok"}\n{"a":"'))]
    await asyncio.gather(*(away.ask(tool, arguments) for tool, arguments in calls))
    await away.app.audit.close()
    raw = (tmp_path / "audit.jsonl").read_bytes()
    assert raw.isascii()
    assert b"\x1b" not in raw
    assert sum(line["phase"] == "end" for line in lines_of(tmp_path / "audit.jsonl")) == len(calls)


def _whole(tool: str) -> dict[str, object]:
    """Arguments of a call that would ask the backend."""
    return {**plain(ENTRIES[tool].schema), **USUAL.get(tool, {})}
