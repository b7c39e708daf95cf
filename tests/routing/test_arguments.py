from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.contract.tool import FREE_TEXT, JSON_TEXT, Args
from cloud_native_mcp.errors import InvalidArgument, ServiceDefinitionError
from cloud_native_mcp.routing.arguments import check
from cloud_native_mcp.routing.schema import Property, input_schema, properties_of
from tests.promises import promise

if TYPE_CHECKING:
    from collections.abc import Mapping


class FindArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Annotated[str, Meta(description="Kind")]
    namespace: Annotated[str, Meta(description="Namespace")] | UnsetType = UNSET
    query: Annotated[str, Meta(description="Text to find", extra=FREE_TEXT)] | UnsetType = UNSET
    body: Annotated[str, Meta(description="A document", extra=JSON_TEXT)] | UnsetType = UNSET
    fields: Annotated[list[str], Meta(description="Columns")] | UnsetType = UNSET
    columns: Annotated[Literal["default", "wide", "all"], Meta(description="Column set")] = "default"
    start: Annotated[str, Meta(description="Start")] = msgspec.field(name="from", default="now")
    limit: Annotated[int, Meta(ge=1, le=500, description="Rows")] = 50
    group: Annotated[bool, Meta(description="Merge repeats")] = True
    ratio: Annotated[float, Meta(description="Share")] | UnsetType = UNSET


PROPERTIES: Mapping[str, Property] = {p.name: p for p in properties_of(FindArgs)}


def refusal(arguments: Mapping[str, object]) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        check(PROPERTIES, arguments)
    return caught.value


def test_the_schema_is_flat_and_keeps_the_order_of_fields_and_choices() -> None:
    schema = input_schema(properties_of(FindArgs))
    assert schema["required"] == ["kind"]
    assert schema["additionalProperties"] is False
    shown = schema["properties"]
    shown = as_dict(shown)
    assert list(shown) == ["kind", "namespace", "query", "body", "fields", "columns", "from", "limit", "group", "ratio"]
    assert shown["columns"] == {
        "type": "string",
        "description": "Column set",
        "enum": ["default", "wide", "all"],
        "default": "default",
    }
    assert shown["limit"] == {"type": "integer", "description": "Rows", "minimum": 1, "maximum": 500, "default": 50}
    assert shown["fields"] == {"type": "array", "description": "Columns", "items": {"type": "string"}}
    assert shown["namespace"] == {"type": "string", "description": "Namespace"}


class Undescribed(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class Nested(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    options: Annotated[dict[str, str], Meta(description="Options")]


@pytest.mark.parametrize("args", [Undescribed, Nested])
def test_a_field_that_breaks_the_schema_rules_is_an_error_of_the_author(args: type[Args]) -> None:
    with pytest.raises(ServiceDefinitionError, match=args.__name__):
        properties_of(args)


@promise("B8")
def test_a_misspelt_argument_is_refused_with_the_nearest_name() -> None:
    error = refusal({"kind": "pod", "namepsace": "shop"})
    assert "did you mean namespace?" in error.text
    assert error.kind == "fix"


def test_an_unknown_argument_like_no_other_gets_the_list_of_known_ones() -> None:
    assert "known: kind, namespace" in refusal({"kind": "pod", "zzzzzzzz": 1}).text


@promise("B9")
@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        ({}, "kind", "is required"),
        ({"kind": None}, "kind", "must be text"),
        ({"kind": 7}, "kind", "must be text"),
        ({"kind": ["pod"]}, "kind", "must be text"),
        ({"kind": "pod", "limit": 0}, "limit", "1 to 500"),
        ({"kind": "pod", "limit": -1}, "limit", "1 to 500"),
        ({"kind": "pod", "limit": 10**9}, "limit", "1 to 500"),
        ({"kind": "pod", "limit": 2.5}, "limit", "whole number"),
        ({"kind": "pod", "limit": "many"}, "limit", "whole number"),
        ({"kind": "pod", "limit": True}, "limit", "whole number"),
        ({"kind": "pod", "group": "maybe"}, "group", "true or false"),
        ({"kind": "pod", "group": 1}, "group", "true or false"),
        ({"kind": "pod", "fields": "name"}, "fields", "must be a list"),
        ({"kind": "pod", "fields": [1]}, "fields", "must be text"),
        ({"kind": "pod", "columns": "wid"}, "columns", "did you mean wide?"),
        ({"kind": "pod", "ratio": float("nan")}, "ratio", "finite"),
        ({"kind": "x" * 20_000}, "kind", "too long"),
    ],
)
def test_a_wrong_value_is_refused_and_the_field_named(arguments: dict[str, object], field: str, words: str) -> None:
    error = refusal(arguments)
    assert error.field == field
    assert words in error.text


def test_all_problems_are_reported_at_once() -> None:
    text = refusal({"kidn": "pod", "limit": 0, "columns": "x"}).text
    assert all(name in text for name in ("kidn", "limit", "columns", "kind: is required"))


@promise("B10")
@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        ({"limit": "5"}, "limit", 5),
        ({"limit": 5.0}, "limit", 5),
        ({"group": "true"}, "group", True),
        ({"group": "False"}, "group", False),
        ({"fields": '["a", "b"]'}, "fields", ["a", "b"]),
        ({"ratio": "0.5"}, "ratio", 0.5),
        ({"ratio": 1}, "ratio", 1),
        ({"namespace": "5"}, "namespace", "5"),
        ({"namespace": '["a"]'}, "namespace", '["a"]'),
        ({"body": '{"a": 1}'}, "body", '{"a": 1}'),
        ({"body": {"a": 1}}, "body", '{"a":1}'),
    ],
)
def test_text_is_taken_for_another_type_only_where_the_schema_asks_for_it(
    arguments: dict[str, object], name: str, value: object
) -> None:
    checked = check(PROPERTIES, {"kind": "pod", **arguments})
    assert checked[name] == value
    assert type(checked[name]) is type(value)


def test_null_for_an_optional_argument_counts_as_absent() -> None:
    assert check(PROPERTIES, {"kind": "pod", "namespace": None, "limit": None}) == {"kind": "pod"}


@promise("B22")
@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\ufeff", "\x1b[31m", "\x00", "\u0085"])
def test_invisible_characters_are_taken_in_free_text_only(hidden: str) -> None:
    assert check(PROPERTIES, {"kind": "pod", "query": f"a{hidden}b"})["query"] == f"a{hidden}b"
    error = refusal({"kind": "pod", "namespace": f"a{hidden}b"})
    assert "invisible" in error.text
    assert hidden not in error.text


@promise("B22")
def test_half_a_surrogate_pair_is_refused_everywhere_and_shown_escaped() -> None:
    for field in ("query", "namespace"):
        assert "surrogate" in refusal({"kind": "pod", field: "a\ud800b"}).text
    assert "\ud800" not in refusal({"kind": "pod", "a\ud800": 1}).text


def test_text_in_other_scripts_is_no_problem() -> None:
    assert check(PROPERTIES, {"kind": "pod", "namespace": "größe-東京"})["namespace"] == "größe-東京"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*PROPERTIES, "namespaces", "x"]) | st.text(max_size=10), JSON, max_size=6))
def test_any_arguments_are_either_right_or_refused_with_a_field(arguments: dict[str, object]) -> None:
    refused: InvalidArgument | None = None
    checked: dict[str, object] = {}
    try:
        checked = check(PROPERTIES, arguments)
    except InvalidArgument as error:
        refused = error
    if refused is None:
        assert msgspec.convert(checked, FindArgs)
    else:
        assert refused.field
        assert refused.text.isprintable()
