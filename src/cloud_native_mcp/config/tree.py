"""Nested mappings of settings: laying one over another, setting one value by its path, and writing paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")


class Clash(Exception):
    """A path leads through a value that is not a mapping."""


def overlaid(under: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Both as one: mappings are joined key by key, anything else of ``over`` takes the place of what is under it."""
    joined = dict(under)
    for key, value in over.items():
        below = joined.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            joined[key] = overlaid(cast("dict[str, object]", below), cast("dict[str, object]", value))
        else:
            joined[key] = value
    return joined


def place(tree: dict[str, object], path: Sequence[str], value: object) -> None:
    """Put a value at a path in place of what is there; a mapping is laid over one that is there.

    Raises:
        Clash: on the way, or at the end, a plain value and a mapping meet.
    """
    for step in path[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            raise Clash
        tree = cast("dict[str, object]", below)
    there = tree.get(path[-1])
    if isinstance(there, dict) and isinstance(value, dict):
        tree[path[-1]] = overlaid(cast("dict[str, object]", there), cast("dict[str, object]", value))
    elif there is None or isinstance(there, dict) == isinstance(value, dict):
        tree[path[-1]] = value
    else:
        raise Clash


def dotted(path: Sequence[str | int]) -> str:
    """A path as people write it: ``prometheus.targets.main.url``, ``plugins[0]``; odd keys are quoted and cut."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            shown = step if _PLAIN.fullmatch(step) else ascii(step[:80])
            text += f".{shown}" if text else shown
    return text
