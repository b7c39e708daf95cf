"""``cloud-native-mcp stdio``: one endpoint on standard input and output, for a client that starts the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cloud_native_mcp.cli.options import (
    ConfigOption,
    EffectsOption,
    SetOption,
    ToolsetOption,
    settings_from,
)

if TYPE_CHECKING:
    from cloud_native_mcp.app import App


def stdio(
    config: ConfigOption = None,
    endpoint: Annotated[str, typer.Option(help="aggregate, or the name of a service.")] = "aggregate",
    effects: EffectsOption = None,
    toolset: ToolsetOption = None,
    assignments: SetOption = None,
) -> None:
    """Serve one endpoint on standard input and output until the input ends."""
    from cloud_native_mcp.cli.running import run_in_app

    async def work(app: App) -> None:
        from cloud_native_mcp.doors import serve_stdio

        await serve_stdio(app, endpoint)

    run_in_app(settings_from(config, assignments, effects=effects, server={"toolset": toolset}), work)
