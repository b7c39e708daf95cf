"""Options that several commands take, and the settings they lead to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.config.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file; else $CNMCP_CONFIG, ./cloud-native-mcp.yaml, /etc/cloud-native-mcp/config.yaml.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="A setting, such as logging.level=debug; may be repeated."),
]
EffectsOption = Annotated[
    str | None, typer.Option("--effects", metavar="LIST", help="Effects allowed: read,write,destroy.")
]
ToolsetOption = Annotated[
    str | None, typer.Option("--toolset", metavar="SET", help="Tools listed at the aggregate endpoint: core, extended.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_from(
    config: Path | None,
    assignments: list[str] | None,
    *,
    effects: str | None = None,
    server: Mapping[str, object] | None = None,
) -> Settings:
    """The settings of this command.

    Args:
        effects: comma-separated, as in `EffectsOption`.
        server: values of the ``server`` section given by flags; None where a flag was not given.

    Raises:
        ConfigError: with every problem.
    """
    from cloud_native_mcp.config.flags import assigned
    from cloud_native_mcp.config.sources import load
    from cloud_native_mcp.config.tree import overlaid

    flags = {name: value for name, value in (server or {}).items() if value is not None}
    if effects is not None:
        flags["effects"] = list(listed(effects))
    overrides = overlaid(assigned(assignments or ()), {"server": flags} if flags else {})
    return load(config, os.environ, overrides)


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
