"""A list of tools that was approved can be told from a changed one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.errors import ServiceDefinitionError
from cloud_native_mcp.routing.catalogue import Catalogue
from tests.promises import promise
from tests.server_fixtures import ledger_settings, served, started
from tests.transport.wire import exchange

if TYPE_CHECKING:
    from pathlib import Path


@promise("S14")
async def test_the_digest_of_each_list_is_logged_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with started(ledger_settings(tmp_path)) as server:
        listed = server.app.door.list_tools("ledger", LOCAL)
        assert f"tools of ledger: digest {listed.digest}" in caplog.text
        assert listed.digest == hashlib.sha256(orjson.dumps(list(listed.tools))).hexdigest()[:16]


@promise("S14")
async def test_a_list_with_other_tools_has_another_digest(tmp_path: Path) -> None:
    found: list[str] = []
    for effects in (["read"], ["read"], ["read", "write"]):
        async with started(ledger_settings(tmp_path, effects=effects)) as server:
            found.append(server.app.tool_digests()["aggregate"])
    assert found[0] == found[1] != found[2]


@promise("S14")
def test_the_digests_are_in_the_detail_of_the_health(tmp_path: Path) -> None:
    with served(ledger_settings(tmp_path)) as server:
        found: dict[str, Any] = json.loads(exchange(server, "GET", "/health?detail").body)
        assert found["tools"] == server.inside.tool_digests()
        assert set(found["tools"]) == {"aggregate", "ledger"}


@promise("S14")
async def test_a_second_tool_of_the_same_name_is_fatal(tmp_path: Path) -> None:
    async with started(ledger_settings(tmp_path)) as server:
        (entry, *_) = server.app.catalogue
    with pytest.raises(ServiceDefinitionError, match="of the same name"):
        Catalogue([entry, entry], effects=frozenset(), toolset="core")
