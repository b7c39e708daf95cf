"""The watch over the whole run does see the canary, in whatever form it comes through."""

from __future__ import annotations

import base64
import logging

import pytest

from cloud_native_mcp.contract.result import Result, Text
from cloud_native_mcp.response.render import Renderer
from cloud_native_mcp.telemetry.logs import TextFormatter
from lab import CANARY
from tests.canary_watch import SEEN
from tests.response.rendering import digest


@pytest.mark.parametrize("lead", ["", "x", "ab", "user:"])
def test_a_canary_in_an_answer_is_seen_plain_and_in_base64(lead: str) -> None:
    for text in (f"{lead} {CANARY}", base64.b64encode(f"{lead}{CANARY}\n".encode()).decode()):
        Renderer(digest).render(Result(blocks=[Text(text)]), limit=10_000, seal=lambda _: "")
        assert SEEN == ["Renderer.render"]
        SEEN.clear()


def test_a_canary_in_a_log_line_is_seen() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, f"it is {CANARY}", None, None)
    TextFormatter(lambda text: text).format(record)
    assert SEEN == ["TextFormatter.format"]
    SEEN.clear()
