"""Label sets as text, and what several of them have in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

NAME = "__name__"
_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_LONGEST_VALUE = 200


def quoted(value: str) -> str:
    """A label value in double quotes, as PromQL reads it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def plain_label(name: str) -> bool:
    """Whether a label name needs no quotes."""
    return _PLAIN_LABEL.fullmatch(name) is not None


def label_text(name: str) -> str:
    """A label name as PromQL reads it; names of other characters are quoted (Prometheus 3.0)."""
    return name if plain_label(name) else quoted(name)


def series_text(labels: Mapping[str, str], *, without: Collection[str] = ()) -> str:
    """A label set as one line in PromQL's form, such as ``up{job="api"}``; long values end in ``…(+n)``."""
    metric = "" if NAME in without else labels.get(NAME, "")
    pairs = [
        f"{label_text(name)}={quoted(_shortened(value))}"
        for name, value in sorted(labels.items())
        if name != NAME and name not in without
    ]
    if metric and _PLAIN_NAME.fullmatch(metric) is None:
        pairs.insert(0, quoted(metric))
        metric = ""
    if not pairs:
        return metric or "{}"
    return f"{metric}{{{','.join(pairs)}}}"


def shared(sets: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The labels that all of several sets have with the same value; empty for fewer than two sets."""
    if len(sets) < 2:
        return {}
    first, *others = sets
    return {name: value for name, value in first.items() if all(labels.get(name) == value for labels in others)}


def _shortened(value: str) -> str:
    over = len(value) - _LONGEST_VALUE
    return value if over <= 0 else f"{value[:_LONGEST_VALUE]}…(+{over})"
