"""The grammar of JSONPath expressions: text to steps. `contract.jsonpath` evaluates them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cloud_native_mcp.errors import InvalidArgument

_NAME = re.compile(r"(?:\\.|[^\s.\[\](){}$@,'\"\\?*:=!<>|&])+")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_INDEX = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
_WORD = re.compile(r"true\b|false\b|null\b|nil\b")
_WORDS: Final = {"true": True, "false": False, "null": None, "nil": None}
_TEMPLATE = re.compile(r"\}.*\{|\{\s*(?:range|end)\b", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Names:
    """``.a`` and ``['a','b']``: the values of keys."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indexes:
    """``[0]``, ``[-1]``, ``[0,2]``: items of a list."""

    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """``[start:stop:stride]`` of a list; the stride is above zero."""

    start: int | None
    stop: int | None
    stride: int


@dataclass(frozen=True, slots=True)
class Children:
    """``[*]`` and ``.*``: all values of an object or list."""


@dataclass(frozen=True, slots=True)
class Descend:
    """``..``: the value and all that is below it."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, boolean or null inside a filter."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(…)]``: the children for which a comparison holds."""

    test: Comparison


Step = Names | Indexes | Slice | Children | Descend | Filter


@dataclass(frozen=True, slots=True)
class Expression:
    """Steps from the root (``$``) or from the current value (``@``)."""

    from_root: bool
    steps: tuple[Step, ...]


Operand = Expression | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``, or with no operator: whether ``left`` selects anything."""

    left: Operand
    operator: str | None = None
    right: Operand | None = None


def parse(text: str, field: str) -> Expression:
    """The steps of an expression.

    Raises:
        InvalidArgument: ``invalid_jsonpath`` with the position (from 1) of the fault.
    """
    return _Parser(text, field).whole()


class _Parser:
    """Recursive descent over one expression; the recursion is bounded by the expression's length."""

    def __init__(self, text: str, field: str) -> None:
        self._text = text
        self._field = field
        self._at = 0

    def whole(self) -> Expression:
        self._space()
        if _TEMPLATE.search(self._text) is not None:
            raise self._fault("templates are not supported; give one path")
        braced = self._take("{")
        self._space()
        if not self._take("$"):
            self._take("@")
        steps = self._steps(bare_name=True)
        self._space()
        if braced:
            self._expect("}")
        self._space()
        if self._at < len(self._text):
            raise self._fault("unexpected character")
        if not steps and "$" not in self._text and "@" not in self._text and "." not in self._text:
            raise self._fault("empty expression")
        return Expression(from_root=True, steps=tuple(steps))

    def _steps(self, *, bare_name: bool) -> list[Step]:
        steps: list[Step] = []
        if bare_name and (name := self._name()) is not None:
            steps.append(Names((name,)))
        while True:
            if self._take(".."):
                steps.append(Descend())
                if not self._looking_at("["):
                    steps.append(self._member("after '..'"))
            elif self._take("."):
                if self._looking_at("[") or (not steps and self._ends()):
                    continue
                steps.append(self._member("after '.'"))
            elif self._take("["):
                steps.append(self._bracket())
            else:
                return steps

    def _member(self, where: str) -> Step:
        if self._take("*"):
            return Children()
        name = self._name()
        if name is None:
            raise self._fault(f"a name is missing {where}")
        return Names((name,))

    def _name(self) -> str | None:
        match = _NAME.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return re.sub(r"\\(.)", r"\1", match[0])

    def _bracket(self) -> Step:
        self._space()
        if self._take("?"):
            return self._filter()
        if self._looking_at("("):
            raise self._fault("script expressions are not supported")
        if self._take("*"):
            self._close()
            return Children()
        if self._looking_at("'") or self._looking_at('"'):
            return self._quoted_names()
        return self._positions()

    def _positions(self) -> Step:
        start = self._index()
        self._space()
        if not self._looking_at(":"):
            if start is None:
                raise self._fault("an index, a quoted name, '*' or '?(' is missing")
            indexes = [start]
            while self._take(","):
                indexes.append(self._required_index())
            self._close()
            return Indexes(tuple(indexes))
        self._expect(":")
        stop = self._index()
        self._space()
        given = self._index() if self._take(":") else None
        stride = 1 if given is None else given
        if stride < 1:
            raise self._fault("the stride of a slice must be above zero")
        self._close()
        return Slice(start, stop, stride)

    def _filter(self) -> Filter:
        self._space()
        self._expect("(")
        left = self._operand()
        self._space()
        match = _OPERATOR.match(self._text, self._at)
        if match is None:
            self._expect(")")
            self._close()
            return Filter(Comparison(left))
        self._at = match.end()
        right = self._operand()
        self._space()
        self._expect(")")
        self._close()
        return Filter(Comparison(left, match[0], right))

    def _operand(self) -> Operand:
        self._space()
        if self._take("@"):
            return Expression(from_root=False, steps=tuple(self._steps(bare_name=False)))
        if self._take("$"):
            return Expression(from_root=True, steps=tuple(self._steps(bare_name=False)))
        if self._looking_at("'") or self._looking_at('"'):
            return Literal(self._quoted())
        if (word := _WORD.match(self._text, self._at)) is not None:
            self._at = word.end()
            return Literal(_WORDS[word[0]])
        if (number := _NUMBER.match(self._text, self._at)) is not None:
            self._at = number.end()
            whole = number[0].lstrip("-").isdigit()
            return Literal(int(number[0]) if whole else float(number[0]))
        raise self._fault("a filter compares '@.key' with a quoted text, a number, true, false or null")

    def _quoted(self) -> str:
        self._space()
        quote = self._text[self._at : self._at + 1]
        if quote not in {"'", '"'}:
            raise self._fault("a quoted name is missing")
        match = re.compile(rf"{quote}((?:\\.|[^{quote}\\])*){quote}", re.DOTALL).match(self._text, self._at)
        if match is None:
            raise self._fault("the quote is not closed")
        self._at = match.end()
        return re.sub(r"\\(.)", r"\1", match[1])

    def _quoted_names(self) -> Names:
        names = [self._quoted()]
        self._space()
        while self._take(","):
            names.append(self._quoted())
            self._space()
        self._close()
        return Names(tuple(names))

    def _index(self) -> int | None:
        self._space()
        match = _INDEX.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return int(match[0])

    def _required_index(self) -> int:
        index = self._index()
        if index is None:
            raise self._fault("an index is missing")
        self._space()
        return index

    def _close(self) -> None:
        self._space()
        self._expect("]")

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _ends(self) -> bool:
        return self._at >= len(self._text) or self._text[self._at] in "} \t\n"

    def _looking_at(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _take(self, token: str) -> bool:
        if not self._looking_at(token):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._fault(f"'{token}' is missing")

    def _fault(self, why: str) -> InvalidArgument:
        found = ascii(self._text[self._at : self._at + 20]) if self._at < len(self._text) else "the end"
        return InvalidArgument(
            self._field, f"JSONPath at position {self._at + 1}: {why} (at {found})", code="invalid_jsonpath"
        )
