"""A server's inside for the length of a command."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from cloud_native_mcp.app import App
    from cloud_native_mcp.config.settings import Settings

ValueT = TypeVar("ValueT")


def run_in_app(settings: Settings, work: Callable[[App], Awaitable[ValueT]], *, quiet: bool = False) -> ValueT:
    """Start the services, do the work, end them; on the event loop the server is made for.

    Args:
        quiet: only warnings are logged, unless the configuration says what is.
    """
    import uvloop

    async def whole() -> ValueT:
        async with _started(_quietened(settings) if quiet else settings) as app:
            return await work(app)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def _quietened(settings: Settings) -> Settings:
    if "logging" in settings.given:
        return settings
    return replace(settings, logging=settings.logging.model_copy(update={"level": "warning"}))


@asynccontextmanager
async def _started(settings: Settings) -> AsyncGenerator[App]:
    from cloud_native_mcp.app import App, configure_logs

    configure_logs(settings)
    app = App(settings)
    try:
        await app.start()
        yield app
    finally:
        await app.close()
