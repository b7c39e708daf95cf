"""``cloud-native-mcp stdio``: one endpoint on standard input and output, for a client that starts the server."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING, Annotated, Final

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

CALLS_END_SECONDS: Final = 1.0


def stdio(
    config: ConfigOption = None,
    endpoint: Annotated[str, typer.Option(help="aggregate, or the name of a service.")] = "aggregate",
    effects: EffectsOption = None,
    toolset: ToolsetOption = None,
    assignments: SetOption = None,
) -> None:
    """Serve one endpoint on standard input and output until the input ends, or at SIGTERM or Ctrl-C."""
    from cloud_native_mcp.cli.running import run_in_app

    async def work(app: App) -> None:
        from cloud_native_mcp.doors import serve_stdio

        gc.collect()
        gc.freeze()  # as `serve` does: what was made so far is never looked at again by the collector
        serving = asyncio.create_task(serve_stdio(app, endpoint))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            await _end_while_reading(app, serving)
            raise

    run_in_app(settings_from(config, assignments, effects=effects, server={"toolset": toolset}), work)


async def _end_while_reading(app: App, serving: asyncio.Task[None]) -> None:
    """Cancel the calls in flight, store the audit, and exit; only that way ends a thread that waits for input."""
    serving.cancel()
    await asyncio.wait([serving], timeout=CALLS_END_SECONDS)
    if not serving.done():
        await app.close()
        os._exit(0)
