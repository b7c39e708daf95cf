"""The tools every mode lists: as intended, as recorded, inside the rules and the budget of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import orjson
import pytest

from cloud_native_mcp.contract.json_values import as_dict
from tests.meta.schema_rules import faults
from tests.meta.tree import ROOT
from tools.golden import GOLDEN, rendered
from tools.lists import DEFAULT_MODE, WireTool, services, tokens, tool_lists

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INTENDED: Final = ROOT / "tests" / "golden" / "intended"
"""The tools of each service as they were designed, in list order; written by hand, with a ``target`` argument."""

DEFAULT_TOKENS: Final = 4_039
"""What the default list may cost; 5 % more fails. Raise it only when a new tool is worth it to every client."""


@pytest.fixture(scope="module")
def lists() -> Mapping[str, list[WireTool]]:
    return tool_lists()


def test_every_list_keeps_the_schema_rules(lists: Mapping[str, list[WireTool]]) -> None:
    names = [service.spec.name for service in services()]
    assert {mode: found for mode, tools in lists.items() if (found := faults(tools, names))} == {}


def test_every_list_is_as_recorded(lists: Mapping[str, list[WireTool]]) -> None:
    recorded = {file.stem: file.read_text(encoding="utf-8") for file in GOLDEN.glob("*.json")}
    assert set(recorded) == set(lists), "make golden writes them again"
    changed = [mode for mode, tools in lists.items() if rendered(tools) != recorded[mode]]
    assert changed == [], "after an intended change, make golden writes them again"


def test_the_default_list_costs_no_more_tokens_than_allowed(lists: Mapping[str, list[WireTool]]) -> None:
    assert tokens(lists[DEFAULT_MODE]) <= DEFAULT_TOKENS * 1.05


@pytest.mark.parametrize("file", sorted(INTENDED.glob("*.json")), ids=lambda file: file.stem)
def test_a_service_declares_its_tools_exactly_as_intended(file: Path, lists: Mapping[str, list[WireTool]]) -> None:
    listed = lists["extended.all-effects.several-targets"]
    declared = [tool for tool in listed if str(tool["name"]).startswith(f"{file.stem}_")]
    intended = cast("list[WireTool]", orjson.loads(file.read_bytes()))
    assert [tool["name"] for tool in declared] == [tool["name"] for tool in intended]
    for ours, meant in zip(declared, intended, strict=True):
        assert ours == meant
        assert list(_properties(ours)) == list(_properties(meant)), f"{ours['name']}: order of properties"


def test_every_service_has_its_intended_tools_written_down() -> None:
    assert {file.stem for file in INTENDED.glob("*.json")} == {service.spec.name for service in services()}


def _properties(tool: WireTool) -> dict[str, object]:
    return as_dict(as_dict(tool["inputSchema"])["properties"])


def test_a_bad_declaration_is_found() -> None:
    good: WireTool = {
        "name": "ledger_list",
        "description": "List entries.",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        "annotations": dict.fromkeys(("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"), False),
    }
    assert faults([good], ["ledger"]) == []
    assert faults([good], ["other"]) == ["ledger_list: prefix is no service"]
    assert faults([good, good], ["ledger"]) == ["ledger_list: name used twice"]
    prop = {"type": ["string", "null"], "description": "", "default": None, "format": "x", "enum": [1]}
    bad = good | {
        "description": "x" * 301,
        "annotations": {},
        "inputSchema": {"type": "object", "properties": {"aB": prop}},
    }
    assert faults([bad], ["ledger"]) == [
        "ledger_list: description is empty or longer than 300",
        "ledger_list: annotations",
        "ledger_list: not a closed object",
        "ledger_list: aB: name",
        "ledger_list: aB: keys ['format']",
        "ledger_list: aB: type ['string', 'null']",
        "ledger_list: aB: description is empty or longer than 120",
        "ledger_list: aB: a choice is not a string",
        "ledger_list: aB: null default",
    ]
