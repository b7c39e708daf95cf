"""The commands that serve, as clients and operators see them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.cli.terminal import COMMAND
from tests.promises import promise
from tests.transport.wire import LEGACY, base_headers, modern_call, request

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.cli.terminal import Terminal

READY_SECONDS = 30.0
KEY = {"X-API-Key": "tester-key-0123456789"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[str], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError("not ready in time")


@contextmanager
def served(terminal: Terminal, *arguments: str) -> Generator[tuple[subprocess.Popen[str], int]]:
    """A server process that is ready, and its port."""
    port = _free_port()
    with (
        (terminal.folder / "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port), *arguments],
            cwd=terminal.folder,
            env=terminal.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            _wait_until_ready(process, port)
            yield process, port
        finally:
            process.kill()


async def test_a_client_of_the_server_gets_what_the_tools_command_prints(terminal: Terminal) -> None:
    printed = terminal.run("tools", "--endpoint", "ledger", "--json")
    with served(terminal) as (_, port):
        url = f"http://127.0.0.1:{port}/api/ledger/streamable-http"
        async with (
            httpx2.AsyncClient(headers=KEY) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            listed = await client.list_tools()
            answer = await client.call_tool("ledger_list", {"limit": 1})
    assert [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in listed.tools] == printed.json[
        "tools"
    ]
    assert not answer.is_error


def test_the_server_ends_in_order_at_a_signal_and_says_nothing_on_standard_output(terminal: Terminal) -> None:
    with served(terminal) as (process, _):
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == ""


def test_a_port_that_is_taken_ends_the_server_with_an_error(terminal: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = terminal.run("serve", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "address already in use" in ran.err


@promise("T4")
def test_what_was_called_just_before_a_signal_is_in_the_audit(terminal: Terminal) -> None:
    with served(terminal) as (process, port):
        asked = request("tools/call", {"name": "ledger_list", "arguments": {}})
        headers = {**base_headers(LEGACY), **KEY}
        answer = httpx2.post(f"http://127.0.0.1:{port}/mcp", json=asked, headers=headers)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert answer.status_code == 200
    assert _audited(terminal) == ["ledger_list"]


@promise("T4")
def test_over_standard_input_a_signal_stores_the_audit_and_ends_the_server_though_the_input_goes_on(
    terminal: Terminal,
) -> None:
    with subprocess.Popen(
        [*COMMAND, "stdio", "--endpoint", "ledger"],
        cwd=terminal.folder,
        env=terminal.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(modern_call("ledger_list")) + "\n")
        process.stdin.flush()
        assert "result" in json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert _audited(terminal) == ["ledger_list"]


def _audited(terminal: Terminal) -> list[object]:
    """The tools whose calls ended, as the audit has them."""
    lines = map(json.loads, (terminal.folder / "audit.jsonl").read_text(encoding="utf-8").splitlines())
    return [line["tool"] for line in lines if line["phase"] == "end"]


async def test_a_client_that_starts_the_server_lists_and_calls_over_standard_input_and_output(
    terminal: Terminal,
) -> None:
    parameters = StdioServerParameters(
        command=COMMAND[0],
        args=[*COMMAND[1:], "stdio", "--endpoint", "ledger"],
        env=terminal.environment,
        cwd=terminal.folder,
    )
    with (terminal.folder / "log").open("w", encoding="utf-8") as log:
        async with Client(stdio_client(parameters, errlog=log)) as client:
            listed = await client.list_tools()
            answer = await client.call_tool("ledger_list", {})
    assert "ledger_list" in [tool.name for tool in listed.tools]
    assert not answer.is_error
