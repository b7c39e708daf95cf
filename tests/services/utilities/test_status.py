"""utilities_status: what runs, what does not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp import __version__
from tests.fault_server.behaviours import answer
from tests.fault_server.server import closed_port, fault_server
from tests.services.utilities.serving import OTHER, serving

if TYPE_CHECKING:
    from pathlib import Path


def rows_of(text: str) -> list[list[str]]:
    """The cells of the table of services."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("SERVICE"))
    return [line.split("\t") for line in lines[start + 1 :] if "\t" in line]


async def test_the_server_tells_its_version_caller_effects_and_limits(tmp_path: Path) -> None:
    async with serving(tmp_path, server={"effects": ["read", "write"]}) as server:
        text = await server.text("status", principal=OTHER)
    assert text.startswith(f"cloud-native-mcp-server {__version__} · 1 of 1 services running")
    assert "caller: somebody-else (api_key)" in text
    assert "effects: read,write" in text
    assert "requests per caller: " in text
    assert rows_of(text) == [["utilities", "-", "running", "-", "-", "read,write", "-"]]


async def test_a_dead_backend_is_a_row_with_its_error_once_it_is_tested(tmp_path: Path) -> None:
    with closed_port() as url:
        secret = f"{url}/with-path"
        async with serving(tmp_path, prometheus={"targets": {"main": {"url": secret}}}) as server:
            before = rows_of(await server.text("status"))
            assert before[0][:3] == ["prometheus", "main", "unknown"]
            text = await server.text("status", probe=True)
            assert "1 unreachable · tested now" in text
            row = rows_of(text)[0]
            assert row[2].startswith("unreachable")
            assert "refused the connection" in row[-1]
            after = rows_of(await server.text("status"))[0]
            assert after[2].startswith("unreachable")


async def test_a_backend_that_answers_is_reachable_with_its_version_and_latency(tmp_path: Path) -> None:
    build = answer({"status": "success", "data": {"version": "3.5.0"}})
    async with fault_server(build) as backend:
        async with serving(tmp_path, prometheus={"targets": {"main": {"url": backend.url}}}) as server:
            row = rows_of(await server.text("status", probe=True))[0]
        assert row[:2] == ["prometheus", "main"]
        assert row[2].startswith("reachable")
        assert row[3].endswith(" ms")
        assert row[4:] == ["3.5.0", "read", "-"]
        assert len(backend.requests) == 1


async def test_one_service_can_be_asked_for_and_a_misspelt_one_finds_its_neighbour(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        assert [row[0] for row in rows_of(await server.text("status", service="utilities"))] == ["utilities"]
        assert "did you mean utilities?" in await server.refusal("status", service="utilties")


async def test_a_service_that_failed_to_start_says_why_without_paths(tmp_path: Path) -> None:
    missing = tmp_path / "no-such-ca.pem"
    target = {"url": "https://127.0.0.1:9", "tls": {"ca_file": str(missing)}}
    async with serving(tmp_path, prometheus={"targets": {"main": target}}) as server:
        text = await server.text("status", probe=True)
        row = next(row for row in rows_of(text) if row[0] == "prometheus")
        assert row[2].startswith(("failed", "unreachable"))
        assert row[-1] != "-"
        assert str(tmp_path) not in text
