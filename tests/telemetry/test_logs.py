"""Logs are one safe line a record, in both formats."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.telemetry.config import LoggingConfig
from cloud_native_mcp.telemetry.logs import configure, escape, request_id, trace_id
from tests.promises import promise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Logs = tuple[logging.Logger, io.StringIO]
NAME = "cloud_native_mcp.tests.logs"


@pytest.fixture
def logs() -> Iterator[Callable[[LoggingConfig], Logs]]:
    """Sets logging up as the server does and puts everything back in the end."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    touched = ["mcp", "sse_starlette"]

    def start(config: LoggingConfig) -> Logs:
        stream = io.StringIO()
        touched.extend(config.levels)
        configure(config, scrub=scrub, stream=stream)
        return logging.getLogger(NAME), stream

    yield start
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name in touched:
        logging.getLogger(name).setLevel(logging.NOTSET)


def fail(logger: logging.Logger, error: Exception, message: str, *args: object) -> None:
    try:
        raise error
    except type(error):
        logger.exception(message, *args)


def test_a_text_line_has_time_level_logger_message_and_the_ids_of_its_request(
    logs: Callable[[LoggingConfig], Logs],
) -> None:
    logger, stream = logs(LoggingConfig())
    request, trace = request_id.set("4f2a"), trace_id.set("0af7")
    logger.info("asked %s", "prod")
    request_id.reset(request)
    trace_id.reset(trace)
    logger.info("idle")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(f"Z INFO    {NAME} asked prod request=4f2a trace=0af7")
    assert second.endswith(f"Z INFO    {NAME} idle")


def test_a_json_line_has_the_same_as_fields(logs: Callable[[LoggingConfig], Logs]) -> None:
    logger, stream = logs(LoggingConfig(format="json"))
    request = request_id.set("4f2a")
    fail(logger, KeyError("no such\nthing"), "failed")
    request_id.reset(request)
    shown = json.loads(stream.getvalue())
    assert shown.pop("time").endswith("Z")
    assert shown.pop("exception")[-1] == r"KeyError: 'no such\nthing'"
    assert shown == {"level": "error", "logger": NAME, "message": "failed", "request": "4f2a"}


@pytest.mark.parametrize("form", ["text", "json"])
@promise("B21")
@promise("B22")
def test_nothing_a_caller_sends_forges_a_line_or_acts_on_a_terminal(
    logs: Callable[[LoggingConfig], Logs], form: str
) -> None:
    logger, stream = logs(LoggingConfig(format="json" if form == "json" else "text"))
    logger.warning("odd name %s", "x\r\n2026-01-01T00:00:00Z ERROR forged \x1b[2J\u202e\u200b\ud800")
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    assert "x\\r\\n" in line.replace("\\\\", "\\")
    assert "u202e" in line


@pytest.mark.parametrize("form", ["text", "json"])
@promise("S4")
def test_credentials_are_taken_out_of_messages_and_exceptions(logs: Callable[[LoggingConfig], Logs], form: str) -> None:
    logger, stream = logs(LoggingConfig(format="json" if form == "json" else "text"))
    fail(
        logger,
        ValueError("Authorization: Bearer canary-0123456789"),
        "cannot reach %s",
        "https://user:canary-0123456789@db/",
    )
    assert "canary" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_lines_of_an_exception_stand_behind_a_bar(logs: Callable[[LoggingConfig], Logs]) -> None:
    logger, stream = logs(LoggingConfig())
    fail(logger, ValueError("first\nsecond"), "failed")
    _, *trace = stream.getvalue().splitlines()
    assert all(line.startswith("  | ") for line in trace)
    assert trace[-2:] == ["  | ValueError: first", "  | second"]


def test_levels_hold_per_module(logs: Callable[[LoggingConfig], Logs]) -> None:
    config = LoggingConfig(level="warning", levels={"cloud_native_mcp.tests": "debug", f"{NAME}.quiet": "error"})
    logger, stream = logs(config)
    logger.debug("seen")
    logger.getChild("quiet").warning("unseen")
    logging.getLogger("another").info("unseen")
    assert [line.rpartition(" ")[2] for line in stream.getvalue().splitlines()] == ["seen"]


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_escaped_to_one_encodable_line(text: str) -> None:
    safe = escape(text)
    safe.encode("utf-8")
    assert len(safe.splitlines()) <= 1


@pytest.mark.parametrize(
    ("config", "level"),
    [
        ({}, logging.WARNING),
        ({"level": "debug"}, logging.WARNING),
        ({"level": "error"}, logging.ERROR),
        ({"levels": {"mcp": "debug"}}, logging.DEBUG),
    ],
)
def test_the_protocol_library_tells_of_messages_only_when_asked(
    logs: Callable[[LoggingConfig], Logs], config: dict[str, object], level: int
) -> None:
    logs(LoggingConfig.model_validate(config))
    assert logging.getLogger("mcp.server.lowlevel").getEffectiveLevel() == level
