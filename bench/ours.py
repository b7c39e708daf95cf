"""Serving our own server in a process under measurement."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_native_mcp.app import App
from cloud_native_mcp.doors import http_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.config.settings import Settings


async def serve(settings: Callable[[Path], Settings]) -> None:
    """Serve until SIGTERM, with a folder of its own for what it writes."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(settings(Path(folder)))
        await app.start()
        try:
            await http_server(app).serve()
        finally:
            await app.close()
