"""The watch over the whole run does see the canary, in whatever form it comes through."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.auth.key_format import new_key
from cloud_native_mcp.contract.result import Result, Text
from cloud_native_mcp.response.render import Renderer
from cloud_native_mcp.telemetry.logs import TextFormatter
from cloud_native_mcp.transport.drain import Drain
from cloud_native_mcp.transport.http_app import HttpApp
from cloud_native_mcp.transport.reply import reply
from lab import CANARY
from tests.canary_watch import SEEN, look_at_files
from tests.response.rendering import digest

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send


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


def test_a_secret_in_a_record_is_seen_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("cloud_native_mcp.tests.watch")
    _, key = new_key()
    for level, where in (("ERROR", f"log of {logger.name}"), ("DEBUG", "TextFormatter.format")):
        caplog.set_level(level, logger=logger.name)
        logger.debug("it is %s", CANARY)
        logger.info("it is %s", key)
        assert [where, where] == SEEN
        SEEN.clear()


def test_a_secret_that_a_process_of_the_server_writes_is_seen() -> None:
    _, key = new_key()
    write = f"import sys; print({key!r}); print({CANARY!r}, file=sys.stderr)  # cloud_native_mcp"
    subprocess.run([sys.executable, "-c", write], check=True, capture_output=True, text=True, timeout=30)
    assert SEEN == ["standard error", "standard output"]
    SEEN.clear()


async def test_a_secret_in_a_body_or_header_of_an_http_answer_is_seen() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await reply(send, 200, CANARY.encode(), headers=[(b"x-echo", CANARY.encode())])

    async def ignore(message: object) -> None:
        del message

    async def unused() -> dict[str, object]:
        raise AssertionError

    await HttpApp(app, (), (), Drain())({"type": "http"}, unused, ignore)
    assert sorted(SEEN) == ["HTTP", "HTTP headers"]
    SEEN.clear()


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.db-wal", "log"])
def test_a_secret_in_a_file_of_the_server_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CANARY, encoding="utf-8")
    look_at_files(tmp_path)
    assert [f"file {name}"] == SEEN
    SEEN.clear()
    (tmp_path / name).unlink()
