"""JSON of strangers: decoded with bounds on depth and members, and without duplicate keys."""

from __future__ import annotations

import json
from typing import Final, cast

import msgspec

from cloud_native_mcp.errors import CnmcpError

MAX_DEPTH: Final = 64
MAX_MEMBERS: Final = 100_000


class BadJson(CnmcpError):
    """Not JSON, or more of it than a message may hold; the text says which."""


def decode(raw: bytes) -> object:
    """The decoded value; whole numbers of any length stay exact.

    Raises:
        BadJson: malformed, not UTF-8, deeper than `MAX_DEPTH`, more than `MAX_MEMBERS` members, or a duplicate key.
    """
    try:
        value: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError):
        raise BadJson("Parse error: not valid JSON") from None
    except RecursionError:
        raise BadJson(f"Parse error: nested deeper than {MAX_DEPTH} levels") from None
    # A key has exactly one colon outside strings. As many colons as decoded keys therefore proves that none was
    # dropped as a duplicate; more of them says nothing (strings hold colons too), so then the text is read again.
    shallow = len(raw) <= MAX_MEMBERS and raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH
    if raw.count(b":") != (_count_keys_of_small(value) if shallow else _count_keys(value)):
        _refuse_duplicate_keys(raw)
    return value


def _count_keys_of_small(root: object) -> int:
    """Number of object keys in a value whose text is too short to be deep or large."""
    keys = 0
    open_nodes = [root]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, dict):
            children = cast("dict[str, object]", node).values()
            keys += len(children)
            open_nodes += [child for child in children if type(child) is dict or type(child) is list]
        elif isinstance(node, list):
            open_nodes += [child for child in cast("list[object]", node) if type(child) is dict or type(child) is list]
    return keys


def _count_keys(root: object) -> int:
    """Number of object keys in the value; refuses what is too deep or too large."""
    keys = members = depth = 0
    level = [root]
    while level:
        depth += 1
        deeper: list[object] = []
        for node in level:
            if isinstance(node, dict):
                children = list(cast("dict[str, object]", node).values())
                keys += len(children)
            elif isinstance(node, list):
                children = cast("list[object]", node)
            else:
                continue
            members += len(children)
            if members > MAX_MEMBERS:
                raise BadJson(f"Parse error: more than {MAX_MEMBERS:,} members")
            deeper += [child for child in children if type(child) is dict or type(child) is list]
        if depth > MAX_DEPTH:
            raise BadJson(f"Parse error: nested deeper than {MAX_DEPTH} levels")
        level = deeper
    return keys


def _refuse_duplicate_keys(raw: bytes) -> None:
    def whole(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise BadJson("Parse error: duplicate key in an object")

    json.loads(raw, object_pairs_hook=whole)
