"""``cloud-native-mcp config``: check, show and describe the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cloud_native_mcp.cli.options import ConfigOption, SetOption, settings_from
from cloud_native_mcp.cli.output import say, say_json

if TYPE_CHECKING:
    from cloud_native_mcp.config.settings import Settings
    from cloud_native_mcp.manager.discovery import Discovered

app = typer.Typer(help="Check, show and describe the configuration.", no_args_is_help=True)


@app.command("check")
def check(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Check the configuration and say which services it switches on. Exit code 2 with every problem at once."""
    settings = settings_from(config, assignments)
    say(f"the configuration is good ({settings.file or 'no file'})")
    for found in settings.discovered:
        say(f"  {found.spec.name}: {_state(settings, found)}")


@app.command("show")
def show(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Print the configuration that is in force, as YAML with every secret masked."""
    from cloud_native_mcp.config.masking import shown
    from cloud_native_mcp.contract import yaml

    say(yaml.dump(shown(settings_from(config, assignments))))


@app.command("schema")
def schema(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Print the JSON Schema of the configuration file, for an editor; with the sections of the configured plugins."""
    from cloud_native_mcp.config.schema import json_schema
    from cloud_native_mcp.config.service_types import config_types

    say_json(json_schema(config_types(settings_from(config, assignments).discovered)))


def _state(settings: Settings, found: Discovered) -> str:
    name = found.spec.name
    reason = found.failure or settings.unusable.get(name)
    if reason:
        return f"failed: {reason}"
    section = settings.services.get(name)
    return "on" if section is not None and section.wanted else "off"
