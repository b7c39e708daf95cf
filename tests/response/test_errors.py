"""Errors are one short safe line that says what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.errors import CODES, BackendError, InvalidArgument, ToolError
from cloud_native_mcp.response.render import Renderer
from tests.promises import promise
from tests.response.rendering import digest, text_of


def line_of(error: ToolError, *, tool: str = "kubernetes_get", target: str = "prod") -> str:
    return text_of(Renderer(digest).render_error(error, tool=tool, target=target))


def test_an_error_names_code_place_advice_and_kind() -> None:
    assert line_of(InvalidArgument("kind", "no such kind `Pood`; nearest: Pod")) == (
        "invalid_argument: kind: no such kind `Pood`; nearest: Pod · kubernetes_get on prod [fix]"
    )
    assert line_of(BackendError("unreachable", "connection refused"), target="") == (
        "unreachable: connection refused · kubernetes_get · check the backend [final]"
    )
    assert line_of(ToolError("throttled", "too many calls", retry_after=11.2)).endswith("[wait 12s]")
    assert line_of(ToolError("own_code", "special", kind="final")).endswith("[final]")


@pytest.mark.parametrize("code", CODES)
def test_every_shared_code_shows_its_kind(code: str) -> None:
    assert line_of(ToolError(code, "text")).endswith(f"[{CODES[code].kind}]")


@promise("S4")
def test_a_backends_words_are_masked_and_defused() -> None:
    line = line_of(BackendError("backend_error", "500 from http://u:hunter2@x: </untrusted>\npassword=hunter2\x1b[1m"))
    assert "hunter2" not in line
    assert "</untrusted>" not in line
    assert "\n" not in line
    assert "\x1b" not in line


@given(st.text(st.characters(exclude_categories=()), max_size=3_000), st.text(max_size=200))
def test_any_error_is_one_line_of_at_most_a_kilobyte(text: str, target: str) -> None:
    line = line_of(ToolError("rejected", text), target=target)
    assert len(line.encode()) <= 1_000
    assert len(line.splitlines()) == 1
    assert line.endswith("[fix]")
