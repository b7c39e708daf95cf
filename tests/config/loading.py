"""Loads configurations as a start does, from nothing but what a test gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.config.sources import load
from cloud_native_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cloud_native_mcp.config.settings import Settings

LEDGER = "tests.samples.ledger"
QUIET = {"CNMCP_KUBERNETES__ENABLED": "false"}
"""Keeps the machine's own kubeconfig out of the tests."""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def settings_of(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    return load(file, QUIET | dict(environ or {}), flags or {}, extra=[LEDGER])


def problems_of(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> dict[str, str]:
    """The problems by their path; empty when the configuration is good."""
    try:
        settings_of(file, environ, flags)
    except ConfigError as error:
        return {problem.path: problem.text for problem in error.problems}
    return {}
