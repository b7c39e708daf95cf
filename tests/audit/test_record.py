"""A record is one line of ASCII JSON, whatever a call held, without secrets."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.audit.record import AuditRecord, line_of
from tests.promises import promise
from tests.response.rendering import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY = "canary-s3cr3t-value"
ENCODED = base64.b64encode(CANARY.encode()).decode()
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def line(arguments: Mapping[str, object], *, tool: str = "kubernetes_list", most: int = 1_000) -> bytes:
    record = AuditRecord(phase="end", tool=tool, arguments=arguments, outcome="ok", at=1_790_000_000.25)
    return line_of(record, digest=digest, max_argument_bytes=most)


def arguments_in(text: bytes) -> dict[str, object]:
    shown: dict[str, dict[str, object]] = orjson.loads(text)
    return shown["arguments"]


def test_a_record_shows_who_did_what_with_what_outcome() -> None:
    record = AuditRecord(
        phase="end",
        request_id="4f",
        principal="ci",
        method="api_key",
        groups=("builders",),
        door="streamable-http",
        peer="192.0.2.1",
        endpoint="aggregate",
        tool="kubernetes_list",
        service="kubernetes",
        effect="read",
        targets=("prod",),
        arguments={"kind": "Pod", "limit": 5},
        outcome="failed",
        code="forbidden",
        stage="act",
        size=42,
        seconds=0.0123456,
        at=1_790_000_000.25,
    )
    text = line_of(record, digest=digest, max_argument_bytes=1_000)
    assert text.endswith(b"\n")
    assert orjson.loads(text) == {
        "time": "2026-09-21T14:13:20.250Z",
        "phase": "end",
        "request": "4f",
        "principal": "ci",
        "method": "api_key",
        "groups": ["builders"],
        "door": "streamable-http",
        "peer": "192.0.2.1",
        "endpoint": "aggregate",
        "tool": "kubernetes_list",
        "service": "kubernetes",
        "effect": "read",
        "targets": ["prod"],
        "arguments": {"kind": "Pod", "limit": 5},
        "arguments_sha": digest(b'{"kind":"Pod","limit":5}'),
        "outcome": "failed",
        "code": "forbidden",
        "stage": "act",
        "bytes": 42,
        "ms": 12.346,
    }


def test_equal_arguments_have_equal_digests_in_any_order() -> None:
    one, other = line({"a": 1, "b": [2]}), line({"b": [2], "a": 1})
    assert orjson.loads(one)["arguments_sha"] == orjson.loads(other)["arguments_sha"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(ANY_TEXT, JSON, max_size=4), ANY_TEXT)
@promise("S17")
@promise("B22")
def test_any_call_is_one_line_of_printable_ascii(arguments: dict[str, object], tool: str) -> None:
    text = line(arguments, tool=tool)
    assert text.endswith(b"}\n")
    assert text[:-1].decode("ascii").isprintable()
    assert json.loads(text)["outcome"] == "ok"


@promise("S17")
def test_an_injected_record_stays_inside_its_field() -> None:
    forged = 'x"}\n{"phase":"end","tool":"kubernetes_delete","outcome":"ok","principal":"root"}'
    text = line({"name": forged}, tool=forged)
    assert text.count(b"\n") == 1
    shown = orjson.loads(text)
    assert shown["tool"] == forged
    assert shown["phase"] == "end"
    assert "principal" not in shown


@promise("S17")
def test_a_megabyte_argument_is_cut_with_its_length_and_digest() -> None:
    huge = "x" * 1_000_000
    text = line({"query": huge, "limit": 3}, tool="t" * 100_000)
    assert len(text) < 1_200
    arguments = arguments_in(text)
    assert arguments["query"] == f"{'x' * 80}… <1000000 bytes, sha {digest(huge.encode())}>"
    assert arguments["limit"] == 3


@promise("B22")
def test_invisible_and_unpaired_characters_are_escaped_not_lost() -> None:
    text = line({"text": "bidi\u202e zero\u200b lone\ud800 del\x7f"})
    assert b"\\u202e" in text
    assert b"\\u200b" in text
    assert b"\\ud800" in text
    assert b"\\u007f" in text


SECRET = {"kind": "Secret", "data": {"password": ENCODED}, "stringData": {"other": CANARY}}


@pytest.mark.parametrize(
    "arguments",
    [
        {"password": CANARY},
        {"headers": {"Authorization": f"Bearer {CANARY}"}},
        {"url": f"https://user:{CANARY}@db/"},
        {"text": f"token={CANARY}"},
        {"text": f"token={CANARY}\ud800"},
        {"object": SECRET},
        {"objects": [{"items": [SECRET]}]},
        {"manifest": json.dumps(SECRET)},
        {"manifest": f"apiVersion: v1\nkind: Secret\nstringData:\n  other: {CANARY}\n"},
        {"manifest": f"apiVersion: v1\nkind: ConfigMap\ndata:\n  a: {CANARY}\n"},
        {"api_key": [CANARY], "env": [{"name": "API_KEY", "value": CANARY}]},
    ],
)
@promise("S4")
def test_secrets_in_arguments_are_redacted(arguments: dict[str, object]) -> None:
    text = line(arguments)
    assert CANARY.encode() not in text
    assert ENCODED.encode() not in text


@pytest.mark.parametrize("name", ["stdin", "body"])
def test_what_is_handed_on_to_a_program_is_kept_by_size_and_digest(name: str) -> None:
    arguments: dict[str, object] = {"command": ["cat"], name: "x7"}
    withheld = "<4 bytes, sha " + digest(b'"x7"') + ">"
    assert arguments_in(line(arguments)) == {"command": ["cat"], name: withheld}


def test_text_of_several_lines_is_kept_by_its_first_line_length_and_digest() -> None:
    manifest = "kind: Deployment\nspec: {}\n"
    assert arguments_in(line({"manifest": manifest})) == {
        "manifest": f"kind: Deployment… <26 bytes, sha {digest(manifest.encode())}>"
    }
