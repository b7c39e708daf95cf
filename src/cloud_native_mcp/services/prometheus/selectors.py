r"""Series selectors: ``up{job="api",instance=~"10\..*"}``. Read here to add a matcher or to apply one to labels.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast

from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.expressions import ExpressionRefused, Pattern, compiled
from cloud_native_mcp.services.prometheus.labels import NAME, label_text, quoted

Operator = Literal["=", "!=", "=~", "!~"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<word>[a-zA-Z_:][a-zA-Z0-9_:.]*)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)"""
    r"""|(?P<operator>=~|!~|!=|=)|(?P<sign>[{},]))""",
    re.ASCII | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a missing label counts as empty."""

    name: str
    operator: Operator
    value: str
    _pattern: Pattern | None = field(default=None, repr=False, compare=False)

    def accepts(self, labels: dict[str, str]) -> bool:
        """Whether the labels meet it."""
        value = labels.get(self.name, "")
        if self._pattern is None:
            return (value == self.value) is (self.operator == "=")
        return (self._pattern.fullmatch(value) is not None) is (self.operator == "=~")

    def text(self) -> str:
        """The condition as PromQL reads it."""
        return f"{label_text(self.name)}{self.operator}{quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that must all hold."""

    matchers: tuple[Matcher, ...]

    def accepts(self, labels: dict[str, str]) -> bool:
        """Whether the labels meet all conditions."""
        return all(matcher.accepts(labels) for matcher in self.matchers)

    def and_also(self, matcher: Matcher) -> Selector:
        """The selector with one more condition."""
        return Selector((*self.matchers, matcher))

    def text(self) -> str:
        """The selector as PromQL reads it."""
        return f"{{{','.join(matcher.text() for matcher in self.matchers)}}}"

    @property
    def metric(self) -> str:
        """The metric's name, or an empty text when the selector names none."""
        return next((m.value for m in self.matchers if m.name == NAME and m.operator == "="), "")


def matcher(name: str, operator: Operator, value: str, *, field: str) -> Matcher:
    """A condition; a regular expression is checked.

    Raises:
        InvalidArgument: ``bad_selector`` with what is wrong with the expression.
    """
    if operator in {"=", "!="}:
        return Matcher(name, operator, value)
    try:
        return Matcher(name, operator, value, compiled(f"(?s:{value})"))
    except ExpressionRefused as error:
        raise _refused(field, f"{value[:60]!a} is not a regular expression of RE2 ({error})") from None


def parse_selector(text: str, *, field: str) -> Selector:
    """Read a selector: a metric name, label matchers in braces, or both; a quoted name may stand in the braces.

    Raises:
        InvalidArgument: ``bad_selector`` with the position (in characters, from 1).
    """
    return _Reader(text, field).selector()


def _refused(field: str, why: str) -> InvalidArgument:
    return InvalidArgument(field, f'{why}; write it like up{{job="api",instance=~"10.*"}}', code="bad_selector")


class _Reader:
    """Reads one selector from left to right."""

    def __init__(self, text: str, field: str) -> None:
        self._text = text
        self._field = field
        self._at = 0
        self._found: list[Matcher] = []

    def selector(self) -> Selector:
        if (name := self._take("word")) is not None:
            self._found.append(Matcher(NAME, "=", name))
        if self._sign("{"):
            self._braces()
        elif not self._found:
            raise self._bad("expected a metric name or {")
        if self._text[self._at :].strip():
            raise self._bad("nothing may follow the selector")
        return Selector(tuple(self._found))

    def _braces(self) -> None:
        while not self._sign("}"):
            self._matcher()
            if not self._sign(","):
                if not self._sign("}"):
                    raise self._bad("expected , or }")
                return

    def _matcher(self) -> None:
        name = self._take("word")
        quoted_name = None if name is not None else self._take("text")
        if name is None and quoted_name is None:
            raise self._bad("expected a label name")
        operator = self._take("operator")
        if operator is None:
            if quoted_name is None:
                raise self._bad("expected =, !=, =~ or !~")
            self._found.append(Matcher(NAME, "=", _unquoted(quoted_name)))
            return
        value = self._take("text")
        if value is None:
            raise self._bad("expected a value in quotes")
        label = name if name is not None else _unquoted(quoted_name or "")
        self._found.append(matcher(label, cast("Operator", operator), _unquoted(value), field=self._field))

    def _take(self, kind: str) -> str | None:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match[kind] is None:
            return None
        self._at = match.end()
        return match[kind]

    def _sign(self, sign: str) -> bool:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match["sign"] != sign:
            return False
        self._at = match.end()
        return True

    def _bad(self, why: str) -> InvalidArgument:
        return _refused(self._field, f"{self._text[:80]!a}: {why} at position {self._at + 1}")


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    return inner if text[0] == "`" else _ESCAPE.sub(_unescaped, inner)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        point = int(code[1:], 16)
        return chr(point) if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else "\ufffd"
    if len(code) == 3:
        return chr(int(code, 8))
    return _ESCAPES.get(code, code)
