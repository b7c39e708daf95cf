"""What a description is made of, and the pieces every kind shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.contract.result import Table
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.response.mask import scrub

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_VALUE = 300
"""Characters of one value before it is cut with its length."""


@dataclass(slots=True)
class Facts:
    """A description in the making: ``lines`` of ``name: value``, and tables for what repeats."""

    lines: list[str] = field(default_factory=list[str])
    tables: list[Table] = field(default_factory=list[Table])

    def add(self, name: str, value: object) -> None:
        """One fact; nothing is added for an empty value."""
        text = show(value)
        if text:
            self.lines.append(f"{name}: {text}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; nothing is added when it has no rows."""
        if rows:
            self.tables.append(Table(columns=columns, rows=rows, title=title))


def show(value: object) -> str:
    """A value on one line: maps as ``a=b``, lists with commas, long text cut with its length."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, dict):
        text = ", ".join(f"{key}={show(item)}" for key, item in cast("dict[str, object]", value).items())
    elif isinstance(value, list | tuple):
        text = ", ".join(filter(None, (show(item) for item in cast("list[object]", value))))
    else:
        text = str(value)
    return text if len(text) <= LONGEST_VALUE else shortened(text, LONGEST_VALUE)


def shortened(text: str, length: int) -> str:
    """The beginning of a text and how much is left out. Credentials go first: half of one would not be recognised."""
    return f"{scrub(text)[:length]}…(+{len(text) - length})"


def condition_rows(conditions: Sequence[object]) -> list[tuple[str, str, str, str, str]]:
    """Rows TYPE, STATUS, SINCE, REASON, MESSAGE with the bad ones first.

    A condition is bad when it is not True, or when it is True and names a trouble (pressure, failure, …).
    """
    rows = [as_dict(condition) for condition in conditions]
    rows.sort(key=lambda condition: not is_bad(condition))
    return [
        (
            as_str(c.get("type")),
            as_str(c.get("status")),
            age(c.get("lastTransitionTime")),
            as_str(c.get("reason")),
            show(c.get("message")),
        )
        for c in rows
    ]


def is_bad(condition: Mapping[str, object]) -> bool:
    """Whether a condition tells of trouble."""
    kind, status = as_str(condition.get("type")), as_str(condition.get("status"))
    negative = kind.endswith(("Pressure", "Unavailable", "Failure", "Failed", "Degraded", "Stalled", "Disrupted"))
    return status != "False" if negative else status != "True"


def add_conditions(facts: Facts, obj: Mapping[str, object]) -> None:
    """The conditions of an object's status, when it has some."""
    rows = condition_rows(as_list(dig(obj, "status", "conditions")))
    facts.table("Conditions", ("TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"), rows)


def selector_line(selector: object) -> str:
    """A label selector (or a plain map of labels) on one line."""
    parts = as_dict(selector)
    if "matchLabels" not in parts and "matchExpressions" not in parts:
        return show(parts)
    terms = [f"{key}={show(value)}" for key, value in as_dict(parts.get("matchLabels")).items()]
    for expression in map(as_dict, as_list(parts.get("matchExpressions"))):
        key, operator, values = (
            as_str(expression.get("key")),
            as_str(expression.get("operator")),
            expression.get("values"),
        )
        match operator:
            case "Exists":
                terms.append(key)
            case "DoesNotExist":
                terms.append(f"!{key}")
            case _:
                terms.append(f"{key} {'in' if operator == 'In' else 'notin'} ({show(values)})")
    return ", ".join(terms)
