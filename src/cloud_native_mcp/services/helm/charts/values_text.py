"""A part of a values file as it is written, comments and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import yaml

from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence


def part_of(text: str, path: str) -> str:
    """The lines of the value under a dotted path, with the comments in it and right above it.

    Raises:
        InvalidArgument: nothing is there (the names that are there are told), or the text is no YAML.
    """
    load_one(text, field="values.yaml")  # refuses nesting and aliases that the next reading could not bear
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    first = 0
    for name in path.strip().strip(".").split("."):
        items = _items(node)
        if name.isdecimal() and int(name) < len(items):
            node = items[int(name)]
            first = _start(node)
            continue
        pairs = _pairs(node)
        found = next(((key, value) for key, value in pairs if key.value == name), None)
        if found is None:
            there = ", ".join(str(key.value) for key, _ in pairs[:20]) or "nothing"
            words = f"there is no {name[:80]!a} in {path[:80]!a}; there is {there}"
            raise InvalidArgument("path", words, code="not_found")
        first, node = _start(found[0]), found[1]
    lines = text.splitlines()
    return "\n".join(lines[_with_comments(lines, first) : _end(node)]) if node is not None else ""


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Of a mapping; keys are scalars, as the reading before has made sure."""
    return cast("list[tuple[yaml.ScalarNode, yaml.Node]]", node.value) if isinstance(node, yaml.MappingNode) else []


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return cast("list[yaml.Node]", node.value) if isinstance(node, yaml.SequenceNode) else []


def _start(node: yaml.Node) -> int:
    return cast("yaml.Mark", node.start_mark).line


def _with_comments(lines: Sequence[str], first: int) -> int:
    """The first line of the comments right above a line."""
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first


def _end(node: yaml.Node) -> int:
    """The line after a value: after its last part, since the end of a block is where the next one begins."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = [value for _, value in _pairs(node)] or _items(node)
        node = last[-1]
    line = cast("yaml.Mark", node.end_mark).line
    return line if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"} else line + 1
