"""JSONPath in kubectl's dialect."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.jsonpath import parse_jsonpath
from cloud_native_mcp.errors import InvalidArgument

PODS = {
    "kind": "List",
    "metadata": {"labels": {"app.kubernetes.io/name": "shop"}},
    "items": [
        {"n": n, "type": "Ready" if n == 1 else "Other", "ok": n % 2 == 0, "containers": [{"image": f"i{n}"}]}
        for n in range(4)
    ],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".kind", ["List"]),
        ("kind", ["List"]),
        ("$.kind", ["List"]),
        ("{.kind}", ["List"]),
        ("{ .kind }", ["List"]),
        (".items[*].n", [0, 1, 2, 3]),
        ("items[0].n", [0]),
        (".items[-1].n", [3]),
        (".items[9].n", []),
        (".items[1:3].n", [1, 2]),
        (".items[::2].n", [0, 2]),
        (".items[0,2].n", [0, 2]),
        (".items[1]['n','type']", [1, "Ready"]),
        (".metadata.labels['app.kubernetes.io/name']", ["shop"]),
        (r".metadata.labels.app\.kubernetes\.io/name", ["shop"]),
        ("..image", ["i0", "i1", "i2", "i3"]),
        ("..['image']", ["i0", "i1", "i2", "i3"]),
        ('.items[?(@.type=="Ready")].n', [1]),
        (".items[?(@.type!='Ready')].n", [0, 2, 3]),
        (".items[?(@.n>=2)].n", [2, 3]),
        (".items[?(@.n<1.5)].n", [0, 1]),
        (".items[?(@.ok==true)].n", [0, 2]),
        (".items[?(@.n==$.items[1].n)].n", [1]),
        (".items[?(@.missing)].n", []),
        (".items[?(@.containers[0].image=='i3')].n", [3]),
        (".items[?(@.type>1)].n", []),
        (".missing.more", []),
        (".kind.more", []),
    ],
)
def test_a_path_selects_in_document_order(path: str, expected: list[object]) -> None:
    assert parse_jsonpath(path, field="select").find(PODS) == expected


@pytest.mark.parametrize(
    ("path", "position", "why"),
    [
        ("", 1, "empty"),
        ("{.a", 4, "'}' is missing"),
        ("..", 3, "a name is missing"),
        (".a[", 4, "is missing"),
        (".a[(@.length-1)]", 4, "script expressions"),
        (".a[?(@.b=~'x')]", 9, "')' is missing"),
        ("{range .items[*]}{.a}{end}", 1, "templates"),
        (".a['b", 4, "not closed"),
        (".a[1:2:0]", 9, "stride"),
        ("a b", 3, "unexpected character"),
    ],
)
def test_a_malformed_path_is_refused_with_its_position(path: str, position: int, why: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_jsonpath(path, field="select")
    assert refusal.value.code == "invalid_jsonpath"
    assert f"position {position}:" in refusal.value.text
    assert why in refusal.value.text


def test_a_long_path_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="201 characters"):
        parse_jsonpath("." + "x" * 200, field="select")


def test_a_path_that_takes_too_much_time_is_given_up() -> None:
    ticks = itertools.count()
    with pytest.raises(InvalidArgument) as refusal:
        parse_jsonpath("..*", field="select").find([[0] * 50] * 50, clock=lambda: next(ticks) * 0.06)
    assert refusal.value.code == "invalid_jsonpath"
    assert "more than 100 ms" in refusal.value.text


def test_a_path_that_grows_quadratically_is_given_up_by_the_real_clock() -> None:
    deep: dict[str, object] = {}
    for _ in range(14):
        deep = {"a": deep, "b": deep}
    with pytest.raises(InvalidArgument, match="more than 100 ms"):
        parse_jsonpath("..*..*..*", field="select").find(deep)


@given(st.text(alphabet=".[]()?@$*'\"{}\\:,=<>0a -", max_size=40))
def test_no_text_makes_the_parser_fail_otherwise_than_by_refusing(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert isinstance(parse_jsonpath(text, field="select").find(PODS), list)
