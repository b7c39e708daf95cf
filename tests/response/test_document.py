"""Documents are written so that any YAML or JSON reader gets the same value back."""

from __future__ import annotations

import json
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.document import dump_json, dump_yaml

TEXTS = st.text(max_size=40).map(clean) | st.text(
    string.ascii_letters + " :#-?,[]{}&*!|>'\"%@`\n\t~0123456789._", max_size=30
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
KEYS = TEXTS.filter(lambda key: len(key) < 100)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)


@given(VALUES)
def test_yaml_reads_back_as_the_value(value: object) -> None:
    assert yaml.safe_load(dump_yaml(value) + "\n") == value


@given(VALUES)
def test_json_reads_back_as_the_value(value: object) -> None:
    assert json.loads(dump_json(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "null",
        "~",
        "1",
        "1.5",
        "0x1f",
        "1e3",
        "12:30",
        "2026-01-01",
        "=",
        "<<",
        "---",
        "...",
        "",
        " a",
        "a ",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "*a",
        "!a",
    ],
)
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert yaml.safe_load(dump_yaml({"a": text})) == {"a": text}


def test_a_manifest_looks_as_kubectl_shows_it() -> None:
    value = {
        "kind": "Pod",
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}], "x": []},
        "script": "set -e\nexec web\n",
        "ip": "10.1.2.3",
        "memory": "128Mi",
    }
    assert dump_yaml(value) == (
        "kind: Pod\nspec:\n  containers:\n  - name: web\n    image: nginx:1.27\n    ports:\n    - containerPort: 80\n"
        "  x: []\nscript: |\n  set -e\n  exec web\nip: 10.1.2.3\nmemory: 128Mi"
    )


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), 1e-7, -1.5e300])
def test_yaml_keeps_every_float(number: float) -> None:
    assert yaml.safe_load(dump_yaml([number])) == [number]


def test_numbers_beyond_64_bits_and_odd_values_are_kept() -> None:
    assert json.loads(dump_json({"n": 2**80})) == {"n": 2**80}
    assert yaml.safe_load(dump_yaml({"n": 2**80, "f": 1e16})) == {"n": 2**80, "f": 1e16}
