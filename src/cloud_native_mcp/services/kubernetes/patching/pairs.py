"""Labels, annotations and taints given as ``key=value`` to set and ``key-`` to remove, as with kubectl."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY: Final = re.compile(r"(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def changes_of(pairs: Sequence[str], *, field: str) -> dict[str, str | None]:
    """A merge patch of labels or annotations; None removes a key.

    Raises:
        InvalidArgument: a pair is neither ``key=value`` nor ``key-``, or breaks the rules of labels.
    """
    changes: dict[str, str | None] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            key = pair.removesuffix("-")
        if (not sign and not pair.endswith("-")) or not _KEY.fullmatch(key):
            raise InvalidArgument(field, f"{pair[:80]!r} is neither key=value nor key-")
        if sign and field == "labels" and not _LABEL_VALUE.fullmatch(value):
            rule = "at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or digit"
            raise InvalidArgument(field, f"value {value[:80]!r} is no label value: {rule}")
        if key in changes:
            raise InvalidArgument(field, f"{key} is given twice")
        changes[key] = value if sign else None
    return changes


def taints_after(present: object, changes: Sequence[str]) -> list[dict[str, object]]:
    """The whole list of taints after the changes; key and effect identify a taint.

    Raises:
        InvalidArgument: a change is neither ``key=value:Effect`` nor ``key:Effect-`` nor ``key-``, or removes nothing.
    """
    taints: list[dict[str, object]] = [as_dict(taint) for taint in as_list(present)]
    for change in changes:
        text = change.removesuffix("-")
        pair, _, effect = text.partition(":")
        key, _, value = pair.partition("=")
        if not _KEY.fullmatch(key) or (effect and effect not in _EFFECTS) or (text == change and not effect):
            raise InvalidArgument(
                "taints", f"{change[:80]!r} is neither key=value:Effect nor key:Effect-; effects: {', '.join(_EFFECTS)}"
            )
        kept = [one for one in taints if as_str(one.get("key")) != key or (effect and one.get("effect") != effect)]
        if text != change:
            if len(kept) == len(taints):
                raise InvalidArgument("taints", f"{change[:80]!r}: the node has no such taint")
            taints = kept
        else:
            made: dict[str, object] = {"key": key, **({"value": value} if value else {}), "effect": effect}
            taints = [*kept, made]
    return taints
