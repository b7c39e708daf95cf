"""The syntax tree of a query as ``/parse_query`` gives it (Prometheus 3.0), and the selectors in it.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#parsing-a-promql-expressions-into-a-abstract-syntax-tree-ast.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.prometheus.labels import NAME
from cloud_native_mcp.services.prometheus.numbers import span_shown
from cloud_native_mcp.services.prometheus.selectors import Matcher, Selector, parse_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.prometheus.selectors import Operator

Node = dict[str, object]
_STRINGS: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)""", re.DOTALL)
_IN_TEXT: Final = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)?\s*\{(?P<inner>[^{}]*)\}|(?P<ranged>[a-zA-Z_:][a-zA-Z0-9_:]*)\s*\["
)
_CHILDREN: Final = ("param", "expr", "lhs", "rhs")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A selector in a query.

    ``span`` is its range (``[5m]``), ``around`` the functions and aggregations around it, nearest first; ``shift`` its
    offset. ``pinned`` selectors have a time of their own (``@``).
    """

    selector: Selector
    span: timedelta | None = None
    around: tuple[str, ...] = ()
    shift: timedelta = timedelta(0)
    pinned: bool = False

    def text(self) -> str:
        """The selector in the usual short form: ``up{job="api"}``."""
        name = self.selector.metric
        others = [m.text() for m in self.selector.matchers if not (m.name == NAME and m.operator == "=" and name)]
        if not name:
            return self.selector.text()
        return f"{name}{{{','.join(others)}}}" if others else name


def leaves(tree: Node) -> list[Leaf]:
    """The selectors of a tree, in the order they are written."""
    return list(_leaves(tree, ()))


def leaves_in_text(query: str) -> list[Leaf]:
    """The selectors that can be told without a parser: those with braces or a range, and a query that is only one."""
    try:
        return [Leaf(parse_selector(query, field="query"))]
    except InvalidArgument:
        pass
    strings: list[str] = []

    def hide(match: re.Match[str]) -> str:
        strings.append(match[0])
        return f'"{len(strings) - 1}"'

    hidden = _STRINGS.sub(hide, query)
    found: list[Leaf] = []
    for match in _IN_TEXT.finditer(hidden):
        text = re.sub(r'"(\d+)"', lambda m: strings[int(m[1])], match["ranged"] or match[0])
        try:
            found.append(Leaf(parse_selector(text, field="query")))
        except InvalidArgument:
            continue
    return found


def outline(tree: Node, depth: int = 0) -> list[str]:
    """The tree as indented lines."""
    lines = [f"{'  ' * depth}{_words(tree)}"]
    for child in _children(tree):
        lines += outline(child, depth + 1)
    return lines


def _leaves(node: Node, around: tuple[str, ...]) -> Iterator[Leaf]:
    kind = as_str(node.get("type"))
    if kind in {"vectorSelector", "matrixSelector"}:
        yield _leaf(node, around)
        return
    if kind == "call":
        around = (as_str(as_dict(node.get("func")).get("name")), *around)
    elif kind == "aggregation":
        around = (as_str(node.get("op")), *around)
    elif kind == "subquery":
        around = ("subquery", *around)
    for child in _children(node):
        yield from _leaves(child, around)


def _leaf(node: Node, around: tuple[str, ...]) -> Leaf:
    matchers = [as_dict(entry) for entry in as_list(node.get("matchers"))]
    span = as_int(node.get("range"))
    return Leaf(
        selector=Selector(
            tuple(
                Matcher(as_str(m.get("name")), cast("Operator", as_str(m.get("type"), "=")), as_str(m.get("value")))
                for m in matchers
            )
        ),
        span=timedelta(milliseconds=span) if span else None,
        around=around,
        shift=timedelta(milliseconds=as_int(node.get("offset"))),
        pinned=node.get("timestamp") is not None or node.get("startOrEnd") is not None,
    )


def _children(node: Node) -> Iterator[Node]:
    for key in _CHILDREN:
        child = node.get(key)
        if isinstance(child, dict):
            yield as_dict(cast("object", child))
    for child in as_list(node.get("args")):
        yield as_dict(child)


def _words(node: Node) -> str:
    kind = as_str(node.get("type"))
    if kind in {"vectorSelector", "matrixSelector"}:
        leaf = _leaf(node, ())
        span = f"[{span_shown(leaf.span)}]" if leaf.span else ""
        shift = f" offset {span_shown(leaf.shift)}" if leaf.shift > timedelta(0) else ""
        return f"selector {leaf.text()}{span}{shift}"
    if kind == "aggregation":
        return f"aggregation {as_str(node.get('op'))}{_grouping(node)}"
    if kind == "binaryExpr":
        return f"binary {as_str(node.get('op'))}{' bool' if node.get('bool') else ''}{_matching(node)}"
    if kind == "call":
        return f"call {as_str(as_dict(node.get('func')).get('name'))}"
    if kind in {"numberLiteral", "stringLiteral"}:
        return f"{'number' if kind == 'numberLiteral' else 'text'} {as_str(node.get('val'))}"
    if kind == "subquery":
        span, step = (timedelta(milliseconds=as_int(node.get(key))) for key in ("range", "step"))
        return f"subquery [{span_shown(span)}:{span_shown(step) if step else ''}]"
    return {"parenExpr": "parentheses", "unaryExpr": f"unary {as_str(node.get('op'))}"}.get(kind, kind or "unknown")


def _grouping(node: Node) -> str:
    names = ", ".join(as_str(name) for name in as_list(node.get("grouping")))
    if node.get("without"):
        return f" without ({names})"
    return f" by ({names})" if names else ""


def _matching(node: Node) -> str:
    matching = as_dict(node.get("matching"))
    if not matching:
        return ""
    names = ", ".join(as_str(name) for name in as_list(matching.get("labels")))
    on = f" on ({names})" if matching.get("on") else f" ignoring ({names})" if names else ""
    card = as_str(matching.get("card"))
    return f"{on} {card}" if card in {"many-to-one", "one-to-many"} else on
