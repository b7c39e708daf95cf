"""From a client's arguments to what a tool is called with: the target, the checked struct, the effect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.routing.arguments import check, shorten
from cloud_native_mcp.routing.catalogue import ALL_TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.contract.effect import Effect
    from cloud_native_mcp.routing.catalogue import Entry

_CONTINUING: Final = frozenset({"cursor", "confirm"})
"""Arguments that go on with an earlier call of the same other arguments."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A call whose arguments are checked.

    ``canonical``: their bytes without cursor and confirm; equal calls have equal ones.
    """

    args: Any
    targets: tuple[str, ...]
    given: frozenset[str]
    canonical: bytes


def bind(entry: Entry, arguments: Mapping[str, object]) -> Bound:
    """Check a call's arguments against its tool.

    Raises:
        InvalidArgument: names every wrong argument and its fix; nothing else happened.
    """
    targets, rest = _split_target(entry, arguments)
    if entry.tool.schema is not None:
        checked: dict[str, object] = dict(rest)
        args: object = checked
    else:
        checked = check(entry.properties, rest)
        args = _convert(entry, checked)
    canonical = {name: value for name, value in checked.items() if name not in _CONTINUING}
    return Bound(
        args=args,
        targets=targets,
        given=frozenset(checked) if arguments.get("target") is None else frozenset((*checked, "target")),
        canonical=_canonical(canonical),
    )


def _canonical(arguments: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a number beyond 64 bits, which only a raw tool lets through
        return json.dumps(arguments, sort_keys=True).encode()


def effect_of(entry: Entry, args: object) -> Effect:
    """The effect of a call; arguments can raise a tool's declared effect, never lower it."""
    declared = entry.tool.effect
    if entry.tool.effect_of is None:
        return declared
    actual = entry.tool.effect_of(args)
    return actual if actual.rank > declared.rank else declared


def _split_target(entry: Entry, arguments: Mapping[str, object]) -> tuple[tuple[str, ...], Mapping[str, object]]:
    """The targets a call asks for, and its other arguments."""
    if not entry.targets or "target" not in arguments:
        return entry.targets[:1], arguments
    rest = {name: value for name, value in arguments.items() if name != "target"}
    asked = arguments["target"]
    if asked is None:
        return entry.targets[:1], rest
    if asked == ALL_TARGETS and entry.tool.all_targets:
        return entry.targets, rest
    if asked not in entry.targets:
        raise InvalidArgument("target", _unknown_target(entry, asked))
    return (str(asked),), rest


def _unknown_target(entry: Entry, asked: object) -> str:
    if asked == ALL_TARGETS:
        return f"{entry.name} asks one target per call; one of {', '.join(entry.targets)}"
    near = nearest(asked, entry.targets) if isinstance(asked, str) else []
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(entry.targets)}"
    return f"no target {shorten(asked)} is configured; {hint}"


def _convert(entry: Entry, checked: dict[str, object]) -> object:
    try:
        return msgspec.convert(checked, type=entry.tool.args)
    except msgspec.ValidationError as error:
        raise InvalidArgument("arguments", str(error)) from None
