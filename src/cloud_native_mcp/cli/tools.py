"""``cloud-native-mcp tools``: what a client sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cloud_native_mcp.cli.options import (
    ConfigOption,
    EffectsOption,
    JsonOption,
    SetOption,
    ToolsetOption,
    settings_from,
)
from cloud_native_mcp.cli.output import say_json, say_table
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.contract.principal import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.app import App
    from cloud_native_mcp.config.settings import Settings

    WireTools = Sequence[Mapping[str, object]]


def tools(
    config: ConfigOption = None,
    endpoint: Annotated[str, typer.Option(help="aggregate, or the name of a service.")] = "aggregate",
    effects: EffectsOption = None,
    toolset: ToolsetOption = None,
    assignments: SetOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """List the tools of an endpoint. Without a configuration: of every service, as with one target each."""
    settings = settings_from(config, assignments, effects=effects, server={"toolset": toolset})
    listed = _configured(settings, endpoint) if settings.names_services else _offline(settings, endpoint)
    if json:
        say_json({"tools": list(listed)})
    else:
        say_table(("TOOL", "EFFECT", "DESCRIPTION"), [_row(tool) for tool in listed])


def _configured(settings: Settings, endpoint: str) -> WireTools:
    """The list of the services that run with these settings; no backend is asked."""
    from cloud_native_mcp.cli.running import run_in_app

    async def work(app: App) -> WireTools:
        _check_endpoint(endpoint, app.door.endpoints)
        return app.door.list_tools(endpoint, LOCAL).tools

    return run_in_app(settings, work, quiet=True)


def _offline(settings: Settings, endpoint: str) -> WireTools:
    from cloud_native_mcp.app import offline_catalogue
    from cloud_native_mcp.routing.permissions.rights import UNLIMITED

    server = settings.server
    catalogue = offline_catalogue(server.effects, server.toolset, plugins=settings.plugins)
    _check_endpoint(endpoint, catalogue.endpoints)
    return catalogue.list_of(endpoint, UNLIMITED).tools


def _check_endpoint(asked: str, known: Sequence[str]) -> None:
    if asked not in known:
        raise typer.BadParameter(f"no endpoint {asked!r}; there are {', '.join(known)}", param_hint="--endpoint")


def _row(tool: Mapping[str, object]) -> tuple[str, str, str]:
    hints = as_dict(tool["annotations"])
    effect = "read" if hints["readOnlyHint"] else "destroy" if hints["destructiveHint"] else "write"
    return (str(tool["name"]), effect, str(tool["description"]))
