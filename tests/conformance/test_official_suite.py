"""The official conformance suite, and the inspector, against our own endpoints.

The fixture is this project's endpoint with the suite's tools on it. The suite itself leaves the tasks extension, which
this server does not offer, out of its requirement sets (run and reported, never scored).
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from tests.conformance.fixture import conformance_server
from tests.node_tools import node_tools
from tests.promises import promise
from tests.transport.serving import Running, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_native_mcp.transport.config import LegacyMode

SECONDS = 240
INTERACTIVE = (
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
)
"""Scenarios of the older era in which the server asks the client, for which it needs a session."""
NEEDS_A_SESSION = (*INTERACTIVE, "server-sse-multiple-streams")
"""Those, and the one that without a session has nothing to check, which the suite counts as not passed."""
_LINE = re.compile(r"^([✓✗]) ([a-z0-9-]+): \d+ passed, \d+ failed", re.MULTILINE)


async def _run(program: str, *arguments: str, cwd: Path) -> tuple[int, str]:
    tools = node_tools()
    process = await asyncio.create_subprocess_exec(
        *tools.command(program, arguments),
        cwd=cwd,
        env=tools.environ(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


async def _conform(server: Running, revision: str, folder: Path, *options: str) -> tuple[int, dict[str, bool], str]:
    """Run a revision's scenarios: exit status, whether each passed, and the report."""
    url = f"http://localhost:{server.port}/mcp"
    arguments = ("server", "--url", url, "--requirements", revision, "-o", str(folder), *options)
    status, report = await _run("conformance", *arguments, cwd=folder)
    return status, {name: mark == "✓" for mark, name in _LINE.findall(report)}, report


@promise("T11")
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("revision", "required", "legacy"),
    [("2025-11-25", 30, "sessions"), ("2026-07-28", 37, "sessions"), ("2026-07-28", 37, "stateless")],
)
async def test_every_required_scenario_passes(revision: str, required: int, legacy: LegacyMode, tmp_path: Path) -> None:
    with conformance_server(legacy) as server:
        status, passed, report = await _conform(server, revision, tmp_path)
    assert status == 0, report
    assert sum(passed.values()) >= required, report


@promise("T11")
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_without_sessions_only_the_scenarios_that_ask_the_client_fail(tmp_path: Path) -> None:
    baseline = tmp_path / "expected.yml"
    baseline.write_text("server:\n" + "".join(f"  - {name}\n" for name in NEEDS_A_SESSION), encoding="utf-8")
    with conformance_server("stateless") as server:
        status, passed, report = await _conform(server, "2025-11-25", tmp_path, "--expected-failures", str(baseline))
    assert status == 0, report
    assert {name for name, good in passed.items() if not good} == set(INTERACTIVE), report
    assert sum(passed.values()) >= 30 - len(INTERACTIVE), report


@pytest.fixture(scope="module", params=["stateless", "sessions"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with serving(legacy=request.param) as running:
        yield running


@promise("T11")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "transport"),
    [
        ("/mcp", "http"),
        ("/api/alpha/streamable-http", "http"),
        ("/api/alpha/sse", "sse"),
        ("/api/aggregate/sse", "sse"),
    ],
)
async def test_the_inspector_lists_without_complaint_and_calls(
    server: Running, path: str, transport: str, tmp_path: Path
) -> None:
    target = ("--cli", f"{server.url}{path}", "--transport", transport)
    status, listed = await _run("mcp-inspector", *target, "--method", "tools/list", "--strict", cwd=tmp_path)
    assert status == 0, listed
    assert '"name": "alpha_echo"' in listed
    call = ("--method", "tools/call", "--tool-name", "alpha_echo", "--tool-arg", "text=hello inspector")
    status, answered = await _run("mcp-inspector", *target, *call, cwd=tmp_path)
    assert status == 0, answered
    assert "hello inspector" in answered
