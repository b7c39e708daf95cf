"""Cutting streamed JSON into its elements."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.services.prometheus.splitter import IncompleteJson, Splitter

TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(['{"metric":{', '}},{"metric":{"', "},", "]},", '"', "\\", "\\\\", '{\\"metric\\":{']),
)


def _element(metric: dict[str, str], values: list[tuple[int, str]]) -> dict[str, object]:
    return {"metric": metric, "values": values}


VALUES = st.lists(st.tuples(st.integers(), TEXT), max_size=3)
ELEMENTS = st.lists(st.builds(_element, st.dictionaries(TEXT, TEXT, max_size=3), VALUES), max_size=6)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", " : ")])


def split(body: bytes, size: int) -> tuple[list[object], object]:
    """The elements and the frame of a body that comes in parts of that size."""
    splitter = Splitter("metric")
    found = [element for at in range(0, len(body), size) for element in splitter.feed(body[at : at + size])]
    last, frame = splitter.finish()
    return [json.loads(element) for element in [*found, *([last] if last is not None else [])]], json.loads(frame)


@given(ELEMENTS, ELEMENTS, st.integers(1, 80), SEPARATORS)
def test_elements_come_out_as_they_went_in_however_the_body_is_cut(
    first: list[dict[str, object]], second: list[dict[str, object]], size: int, separators: tuple[str, str]
) -> None:
    document = {"status": "success", "data": {"result": first, "more": second}, "warnings": ['{"metric":{']}
    body = json.dumps(document, separators=separators, ensure_ascii=False).encode("utf-8", "surrogatepass")
    elements, frame = split(body, size)
    assert elements == json.loads(json.dumps([*first, *second]))
    assert frame == {"status": "success", "data": {"result": [], "more": []}, "warnings": ['{"metric":{']}


@given(ELEMENTS.filter(bool), st.data())
def test_a_body_that_ends_too_early_never_looks_whole(elements: list[dict[str, object]], data: st.DataObject) -> None:
    body = json.dumps({"result": elements}, separators=(",", ":")).encode()
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises((IncompleteJson, json.JSONDecodeError)):
        split(body[:end], 7)


def test_what_waits_is_only_the_element_that_is_not_whole() -> None:
    splitter = Splitter("metric")
    assert list(splitter.feed(b'{"result":[{"metric":{}},{"metric":{"a":')) == [b'{"metric":{}}']
    assert splitter.waiting == len(b'{"metric":{"a":')
