"""Every tool, fed valid and nearly valid arguments over the lab: it answers or refuses, and never fails by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.every_tool.answers import Told, names_an_argument
from tests.every_tool.arguments import USUAL, near_valid, plain
from tests.promises import promise
from tools.lists import catalogue

if TYPE_CHECKING:
    from tests.every_tool.answers import Desk

pytestmark = pytest.mark.lab
ENTRIES = {entry.name: entry for entry in catalogue()}
EXAMPLES = 25
PATIENT = frozenset(name for name, entry in ENTRIES.items() if entry.tool.timeout == "long")


@promise("B9")
@promise("S4")
@promise("S5")
@pytest.mark.parametrize("tool", sorted(ENTRIES))
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_a_tool_answers_or_names_the_argument_that_is_wrong(
    watcher: Desk, tool: str, data: st.DataObject
) -> None:
    arguments = data.draw(near_valid(ENTRIES[tool].schema), label=tool)
    if tool in PATIENT:
        arguments = _without_waiting(arguments, ENTRIES[tool].tool.waits)
    watcher.inspect(await watcher.ask(tool, arguments))


def _without_waiting(arguments: dict[str, object], waits: str) -> dict[str, object]:
    """A second at most: the tool itself is tested elsewhere."""
    value = arguments.get(waits)
    right = isinstance(value, int | str) and str(value).isdigit() and int(value) > 1
    return arguments | {waits: 1} if right else arguments


async def test_the_plain_call_of_every_tool_is_no_argument_error(watcher: Desk) -> None:
    """The generated calls do reach the tools."""
    answers = [await watcher.ask(tool, plain(entry.schema) | USUAL.get(tool, {})) for tool, entry in ENTRIES.items()]
    fine = {answer.tool for answer in answers if not answer.code}
    assert len(fine) >= len(ENTRIES) * 0.6, [str(answer)[:200] for answer in answers if answer.code]
    assert len(answers) == len(watcher.tools())


def test_an_error_without_the_name_of_an_argument_is_seen() -> None:
    assert names_an_argument(Told("t", {}, "invalid_argument: limit: must be 1 to 500 [fix]", "invalid_argument"))
    assert not names_an_argument(Told("t", {}, "invalid_argument: something is wrong [fix]", "invalid_argument"))
    assert not names_an_argument(Told("t", {}, "invalid_argument: arguments: odd [fix]", "invalid_argument"))
