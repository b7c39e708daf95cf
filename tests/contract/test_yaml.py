"""YAML is read strictly, to plain JSON values, and written so that every reader agrees."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.yaml import dump, load_all, load_one
from cloud_native_mcp.errors import InvalidArgument

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{','.join(['*' + chr(97 + level)] * 10)}]\n" for level in range(9)
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, width=32) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_scalars_are_read_as_kubernetes_tools_read_them() -> None:
    text = "[0644, 0o17, 0x1f, 1e3, .5, -3, 1_000, yes, Off, ~, 2020-01-01, 1:30, 'on', \"5\", v1, -.inf]"
    assert load_one(text, field="manifest") == [
        420, 15, 31, 1000.0, 0.5, -3, 1000, True, False, None, "2020-01-01", "1:30", "on", "5", "v1", float("-inf"),
    ]  # fmt: skip


def test_keys_become_text() -> None:
    assert load_one("{1: a, true: b, null: c, 0.5: d}", field="x") == {"1": "a", "true": "b", "null": "c", "0.5": "d"}


def test_empty_documents_are_left_out() -> None:
    assert load_all("---\n---\na: 1\n---\n# nothing\n---\n- 2\n---\n", field="x") == [{"a": 1}, [2]]


def test_an_empty_text_is_nothing() -> None:
    assert load_one("", field="x") is None


def test_aliases_are_copies_and_merge_keys_yield_to_own_keys() -> None:
    text = "base: &b {x: 1, y: {z: 2}}\nuse:\n  <<: *b\n  x: 3\nlist: &l [1]\nsame: *l\n"
    found = load_one(text, field="x")
    assert found == {
        "base": {"x": 1, "y": {"z": 2}}, "use": {"x": 3, "y": {"z": 2}}, "list": [1], "same": [1],
    }  # fmt: skip
    assert isinstance(found, dict)
    assert found["list"] is not found["same"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\na: 2", "'a' appears twice"),
        ("1: a\n'1': b", "'1' appears twice"),
        ("!!python/object/apply:os.system [id]", "is not allowed"),
        ("a: !custom x", "'!custom' is not allowed"),
        ("a: [", "line 2 column 1"),
        ("b: *missing", "alias *missing"),
        ("&a [*a]", "alias *a"),
        ("[" * 5_000, "nested deeper than 100"),
        ("- " * 100_000, "nested deeper than 100"),
        ("{" * 100_000, "nested deeper than 100"),
        (BOMB, "more than 200,000 values"),
        ("? [a]\n: b", "a key must be a scalar"),
        ("\x00", "a character that is not allowed"),
        ("a: \ud800", "a character that is not allowed"),
        ("a\n---\nb", "more than 1 YAML document"),
    ],
)
def test_dangerous_or_malformed_yaml_is_refused_with_the_field_and_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        load_one(text, field="manifest")
    assert refusal.value.field == "manifest"
    assert why in refusal.value.text


def test_more_documents_than_allowed_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="more than 3 YAML document"):
        load_all("---\na: 1\n" * 4, field="manifest", max_documents=3)


def test_many_empty_documents_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="more than 3 YAML document"):
        load_all("---\n" * 1_000, field="manifest", max_documents=3)


def test_text_of_several_lines_is_written_as_a_block() -> None:
    assert dump({"script": "one\ntwo\n"}) == "script: |\n  one\n  two\n"


@given(json_values)
def test_what_is_written_is_read_back_the_same(value: object) -> None:
    try:
        written = dump(value)
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return
    assert load_one(written, field="x") == value


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_otherwise_than_by_refusing(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert None not in load_all(text, field="x")
