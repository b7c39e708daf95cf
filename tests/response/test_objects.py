"""Secrets inside structured values keep their keys and lose their values, wherever they stand."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.json_values import as_list, dig
from cloud_native_mcp.contract.result import Document, Result
from cloud_native_mcp.response.objects import MAX_DEPTH, mask_object
from tests.promises import promise
from tests.response.rendering import digest, shown

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-s3cr3t-value"
ENCODED = base64.b64encode(CANARY.encode()).decode()
MASKED = f"<{len(CANARY)} bytes, sha {digest(CANARY.encode())}>"

SECRET: dict[str, object] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "Opaque",
    "metadata": {
        "name": "db",
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": {"password": ENCODED}}),
            "backup.example.com/original": json.dumps({"stringData": {"password": CANARY}}),
            "owner": "team-a",
        },
        "managedFields": [{"manager": "kubectl"}],
    },
    "data": {"password": ENCODED, "empty": ""},
    "stringData": {"other": CANARY},
}


def bare() -> object:
    return {key: value for key, value in SECRET.items() if key not in {"kind", "apiVersion"}}


WRAPPED: list[Callable[[], object]] = [
    lambda: SECRET,
    lambda: {"kind": "List", "apiVersion": "v1", "items": [{"kind": "Pod"}, SECRET]},
    lambda: {"kind": "SecretList", "apiVersion": "v1", "items": [bare(), None]},
    lambda: {"type": "MODIFIED", "object": SECRET},
    lambda: [[{"a": {"b": SECRET}}]],
    lambda: {"spec": {"template": SECRET}},
]


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("wrapped", WRAPPED)
@promise("S4")
def test_a_secret_is_masked_in_every_wrapping_and_format(wrapped: Callable[[], object], form: str) -> None:
    document = Document(wrapped(), format="json" if form == "json" else "yaml")
    text = shown(Result("h", [document]))
    assert CANARY not in text
    assert ENCODED not in text
    assert "password" in text
    assert MASKED in text


@promise("S4")
def test_keys_lengths_and_equal_digests_stay_visible() -> None:
    masked = mask_object(SECRET, digest)
    assert dig(masked, "data", "password") == dig(masked, "stringData", "other") == MASKED
    assert dig(masked, "data", "empty") == "<0 bytes>"
    assert dig(masked, "metadata", "name") == "db"
    assert dig(masked, "metadata", "annotations", "owner") == "team-a"
    assert dig(masked, "type") == "Opaque"


def test_managed_fields_and_last_applied_are_left_out_of_every_object() -> None:
    masked = mask_object({"kind": "Pod", "metadata": SECRET["metadata"]}, digest)
    assert dig(masked, "metadata", "managedFields") is None
    assert dig(masked, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration") is None


def test_a_value_that_is_not_base64_is_masked_as_it_is() -> None:
    masked = mask_object({"kind": "Secret", "data": {"a": "not base64!", "b": 5, "c": None}}, digest)
    assert dig(masked, "data", "a") == f"<11 bytes, sha {digest(b'not base64!')}>"
    assert dig(mask_object({"kind": "Secret", "data": "text"}, digest), "data") == f"<4 bytes, sha {digest(b'text')}>"


@promise("S4")
def test_credentials_in_environments_arguments_and_fields_are_masked() -> None:
    pod = {
        "env": [{"name": "DB_PASSWORD", "value": CANARY}, {"name": "MODE", "value": "fast"}],
        "args": ["--admin-token", CANARY, "--port", "80"],
        "secureJsonData": {"httpHeaderValue1": CANARY},
        "adminPassword": CANARY,
        "apiKey": [CANARY, {"name": "kept"}],
        "secretName": "db",
        "tokenRef": {"name": "x"},
    }
    masked = mask_object(pod, digest)
    assert CANARY not in json.dumps(masked)
    assert as_list(dig(masked, "env"))[1] == {"name": "MODE", "value": "fast"}
    assert as_list(dig(masked, "args")) == ["--admin-token", MASKED, "--port", "80"]
    assert dig(masked, "secretName") == "db"


def test_references_and_empty_values_are_not_masked() -> None:
    value = {"password": "$(DB_PASSWORD)", "token": "", "secret": None, "enableToken": True}
    assert mask_object(value, digest) == value


def test_a_value_nested_without_end_is_cut_instead_of_crashing() -> None:
    value: object = "leaf"
    for _ in range(5_000):
        value = {"a": value}
    masked = mask_object(value, digest)
    assert f"deeper than {MAX_DEPTH}" in json.dumps(masked)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.lists(st.sampled_from(["list", "items", "object", "field"]), max_size=5))
@promise("S4")
def test_no_wrapping_uncovers_a_secret(beside: object, wrappings: list[str]) -> None:
    value: object = SECRET
    for wrapping in wrappings:
        value = [beside, value] if wrapping == "list" else {"beside": beside, wrapping: value}
    text = json.dumps(mask_object(value, digest))
    assert CANARY not in text
    assert ENCODED not in text
