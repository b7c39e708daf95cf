r"""JSONPath in kubectl's dialect, over JSON values.

``.spec.containers[*].image``, ``metadata.labels['app.kubernetes.io/name']``, ``.items[-1]``, ``[0:3]``, ``[0,2]``,
``..name``, ``.status.conditions[?(@.type=="Ready")].status``. A leading ``$`` and braces around the whole are optional;
``\.`` in a name is a dot. Templates (``{range}``, text between braces) and script expressions are refused.
A missing key selects nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.contract.jsonpath_grammar import (
    Children,
    Comparison,
    Descend,
    Expression,
    Filter,
    Indexes,
    Names,
    Operand,
    Slice,
    Step,
    parse,
)
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST: Final = 200
"""Most characters of an expression."""
MOST_SECONDS: Final = 0.1
"""Most CPU seconds one evaluation takes."""
_CHECK_EVERY: Final = 256


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed expression.

    Attributes:
        text: as the caller gave it.
        field: the argument it came from, for errors of its evaluation.
    """

    text: str
    field: str
    expression: Expression

    def find(self, value: object, *, clock: Callable[[], float] = time.thread_time) -> list[object]:
        """All values the path selects, in document order; empty when there are none.

        Args:
            value: decoded JSON.
            clock: CPU seconds of this thread.

        Raises:
            InvalidArgument: ``invalid_jsonpath`` when it takes more than `MOST_SECONDS`.
        """
        return list(_Evaluation(value, self, clock).run(self.expression, value))


def parse_jsonpath(text: str, *, field: str) -> JsonPath:
    """Parse an expression.

    Args:
        text: at most `LONGEST` characters.
        field: the argument's name, for the error.

    Raises:
        InvalidArgument: ``invalid_jsonpath``, with the position of the fault (counted from 1).
    """
    if len(text) > LONGEST:
        raise InvalidArgument(field, f"JSONPath has {len(text)} characters; at most {LONGEST}", code="invalid_jsonpath")
    return JsonPath(text, field, parse(text, field))


class _Evaluation:
    """One walk over one value, with its share of CPU time."""

    def __init__(self, root: object, path: JsonPath, clock: Callable[[], float]) -> None:
        self._root = root
        self._path = path
        self._clock = clock
        self._until = clock() + MOST_SECONDS
        self._visited = 0

    def run(self, expression: Expression, current: object) -> Iterator[object]:
        found: Iterator[object] = iter((self._root if expression.from_root else current,))
        for step in expression.steps:
            found = self._apply(step, found)
        return found

    def _apply(self, step: Step, values: Iterator[object]) -> Iterator[object]:
        for value in values:
            for selected in self._select(step, value):
                self._spend()
                yield selected

    def _select(self, step: Step, value: object) -> Iterator[object]:
        match step:
            case Names(names):
                if isinstance(value, dict):
                    fields = cast("dict[str, object]", value)
                    yield from (fields[name] for name in names if name in fields)
            case Indexes(indexes):
                if isinstance(value, list):
                    items = cast("list[object]", value)
                    yield from (items[index] for index in indexes if -len(items) <= index < len(items))
            case Slice(start, stop, stride):
                if isinstance(value, list):
                    yield from cast("list[object]", value)[start:stop:stride]
            case Children():
                yield from _children(value)
            case Descend():
                yield from self._descendants(value)
            case Filter(test):
                yield from (child for child in _children(value) if self._passes(test, child))

    def _descendants(self, value: object) -> Iterator[object]:
        """The value and all objects and lists below it, parents before children."""
        waiting = [value]
        while waiting:
            current = waiting.pop()
            self._spend()
            yield current
            waiting.extend(child for child in reversed(_children(current)) if _is_container(child))

    def _passes(self, test: Comparison, child: object) -> bool:
        self._spend()
        lefts = list(self._values(test.left, child))
        if test.operator is None or test.right is None:
            return bool(lefts)
        rights = list(self._values(test.right, child))
        return any(_holds(left, test.operator, right) for left in lefts for right in rights)

    def _values(self, operand: Operand, child: object) -> Iterator[object]:
        if isinstance(operand, Expression):
            return self.run(operand, child)
        return iter((operand.value,))

    def _spend(self) -> None:
        self._visited += 1
        if self._visited % _CHECK_EVERY == 0 and self._clock() > self._until:
            raise InvalidArgument(
                self._path.field,
                f"JSONPath took more than {MOST_SECONDS * 1000:.0f} ms over this value; name the keys instead of '..'",
                code="invalid_jsonpath",
            )


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _is_container(value: object) -> bool:
    return isinstance(value, (dict, list))


def _holds(left: object, operator: str, right: object) -> bool:
    """Whether the comparison is true; values of different JSON types differ and have no order."""
    if operator == "==":
        return _same(left, right)
    if operator == "!=":
        return not _same(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _ordered((left > right) - (left < right), operator)
    if _is_number(left) and _is_number(right):
        first, second = cast("float", left), cast("float", right)
        return _ordered((first > second) - (first < second), operator)
    return False


def _ordered(sign: int, operator: str) -> bool:
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator]


def _same(left: object, right: object) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
