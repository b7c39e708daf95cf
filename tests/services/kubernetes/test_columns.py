"""Columns made of JSONPath expressions."""

from __future__ import annotations

import pytest

from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.kubernetes.listing.columns import (
    field_cells,
    field_columns,
    parse_fields,
    readable,
    value_text,
)

POD = Resource(group="", version="v1", kind="Pod", plural="pods", namespaced=True)
SECRET = Resource(group="", version="v1", kind="Secret", plural="secrets", namespaced=True)


def test_a_column_is_named_after_the_last_part_of_its_expression() -> None:
    paths = parse_fields([".spec.nodeName", "{.status.phase}", ".spec.containers[*].image"])
    assert field_columns(paths) == ["NODENAME", "PHASE", "IMAGE"]


def test_columns_that_would_share_a_name_are_named_by_the_whole_expression() -> None:
    names = field_columns(parse_fields([".metadata.name", ".spec.volumes[*].name"]))
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("values", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a,b"), ([1, True, None], "1,true,null"), ([{"a": [1]}], '{"a":[1]}')],
)
def test_what_an_expression_selects_becomes_one_cell(values: list[object], text: str) -> None:
    assert value_text(values) == text


def test_a_row_begins_with_the_namespace_where_several_are_listed() -> None:
    one = {"metadata": {"name": "a", "namespace": "shop"}, "spec": {"nodeName": "n1"}}
    assert field_cells(one, parse_fields([".spec.nodeName"]), namespaces=True) == ["shop", "a", "n1"]
    assert field_cells(one, parse_fields([".spec.nodeName"]), namespaces=False) == ["a", "n1"]


def test_more_expressions_than_allowed_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="at most 12"):
        parse_fields([".metadata.name"] * 13)


def test_values_of_secrets_are_masked_before_anything_is_picked() -> None:
    shown = readable(SECRET, lambda _: "d")({"data": {"token": "aHVudGVyMg=="}})
    assert shown["data"] == {"token": "<7 bytes, sha d>"}


def test_a_variable_named_like_a_credential_is_masked_before_its_value_stands_alone() -> None:
    pod: dict[str, object] = {"spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]}}
    values = parse_fields([".spec.containers[*].env[*].value"])[0].find(readable(POD, lambda _: "d")(pod))
    assert values == ["<7 bytes, sha d>"]
