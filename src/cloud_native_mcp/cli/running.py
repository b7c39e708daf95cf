"""A server's inside for the length of a command."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import typer

from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from cloud_native_mcp.app import App
    from cloud_native_mcp.config.settings import Settings

ValueT = TypeVar("ValueT")


def run_in_app(
    settings: Settings, work: Callable[[App], Awaitable[ValueT]], *, quiet: bool = False, leaves_stdout: bool = False
) -> ValueT:
    """Start the services, do the work, end them; on the event loop the server is made for.

    SIGTERM cancels the work, so that the services end and the audit is stored (the HTTP server takes it for itself).

    Args:
        quiet: only warnings are logged, unless the configuration says what is.

        leaves_stdout: whether the command itself writes nothing to standard output.

    Raises:
        ConfigError: the audit is to go to the standard output of a command that needs it.
        typer.Exit: with 143, after SIGTERM.
    """
    import uvloop

    if settings.audit.stdout and not leaves_stdout:
        raise ConfigError(
            [Problem("audit.stdout", "only `serve` leaves standard output to the audit; use a file here")]
        )

    async def whole() -> ValueT:
        _cancel_at_sigterm()
        async with _started(_quietened(settings) if quiet else settings) as app:
            return await work(app)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(whole())
        except asyncio.CancelledError:
            raise typer.Exit(128 + signal.SIGTERM) from None


def _cancel_at_sigterm() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel(*_: object) -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGTERM, cancel)


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
