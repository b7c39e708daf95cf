"""A service is one folder, dropped in or installed, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, cast

import pytest

from cloud_native_mcp import services
from cloud_native_mcp.config.documented import settings as documented
from cloud_native_mcp.config.schema import json_schema
from cloud_native_mcp.config.service_types import config_types
from cloud_native_mcp.config.sources import load
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.manager.discovery import discover
from cloud_native_mcp.manager.loading import load_tools
from cloud_native_mcp.routing.catalogue import entries_of
from tests.samples.install import ABACUS, MODULE, install_abacus
from tools.docs.settings import configuration_page
from tools.docs.tools import tool_page
from tools.lists import LoadedService

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUIET = {"CNMCP_KUBERNETES__ENABLED": "false"}


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a service whose folder was copied beside the others."""
    shutil.copytree(ABACUS, tmp_path / "abacus", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield "abacus"
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_folder_dropped_in_is_listed_configured_and_documented(dropped: str) -> None:
    found = {service.spec.name: service for service in discover()}
    settings = load(None, QUIET | {"CNMCP_ABACUS__ENABLED": "true", "CNMCP_ABACUS__BEADS": "7"}, {})
    assert settings.services[dropped].wanted
    tools = entries_of(found[dropped].spec, load_tools(found[dropped]), ())
    assert [entry.name for entry in tools] == ["abacus_add"]
    types = config_types(found.values())
    assert dropped in as_dict(json_schema(types)["properties"])
    assert "abacus.beads" in {setting.path for setting in documented(types)}
    assert "`abacus.beads`" in configuration_page()
    assert "abacus_add" in tool_page(LoadedService(found[dropped].spec, load_tools(found[dropped])))


def test_an_installed_package_serves_its_tools_once_it_is_named(tmp_path: Path) -> None:
    site = install_abacus(tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(site)} | QUIET

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cloud_native_mcp", *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment
        )

    named = ("--set", 'plugins=["abacus"]', "--set", "abacus.enabled=true", "--set", "abacus.beads=7")
    listed = run("tools", "--endpoint", "abacus", "--json", *named)
    assert listed.returncode == 0, listed.stderr
    tools = cast("dict[str, list[dict[str, object]]]", json.loads(listed.stdout))["tools"]
    assert [tool["name"] for tool in tools] == ["abacus_add"]
    assert run("call", "abacus_add", "numbers:=[3, 4]", *named).stdout.strip() == "7"
    refused = run("call", "abacus_add", "numbers:=[3, 5]", *named)
    assert (refused.returncode, "more than 7" in refused.stderr) == (1, True)
    assert '"beads"' in run("config", "schema", *named).stdout
    assert run("tools", "--endpoint", "abacus").returncode == 2, "a package is loaded only when it is named"
    assert MODULE not in sys.modules
