"""The HTTP server process: uvicorn on uvloop and httptools, ending in order."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Final

import uvicorn
from sse_starlette.sse import AppStatus

from cloud_native_mcp.transport.protocol import http_protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from cloud_native_mcp.transport.config import ServerConfig
    from cloud_native_mcp.transport.http_app import HttpApp

_LAST_WRITES_SECONDS: Final = 0.1
_CLOSING_SECONDS: Final = 2


class DrainServer(uvicorn.Server):
    """On SIGTERM: not ready, no new work, calls in flight finish within the grace, streams end, exit status 0.

    Listening goes on while calls finish, so that probes see "not ready" and late requests get 503 with Retry-After.
    """

    def __init__(self, config: uvicorn.Config, app: HttpApp, *, grace_s: float) -> None:
        super().__init__(config)
        self._http_app = app
        self._grace_s = grace_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain. The signal is not raised again at the end: an ordered end is a success."""
        del frame
        self._http_app.drain.begin()
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close."""
        began = time.monotonic()
        self._http_app.drain.begin()
        self._http_app.close_listening()
        await self._http_app.drain.idle(self._grace_s)
        await asyncio.sleep(_LAST_WRITES_SECONDS)  # an answer on an SSE stream is two tasks away from the socket
        await self._http_app.close_streams()
        left = self._grace_s - (time.monotonic() - began)
        self.config.timeout_graceful_shutdown = max(_CLOSING_SECONDS, int(left))
        await super().shutdown(sockets)


def make_server(
    app: HttpApp, config: ServerConfig, *, count_connections: Callable[[int], None] | None = None
) -> DrainServer:
    """The server for an application; ``run()`` serves until a signal.

    Args:
        count_connections: told +1 and -1 as connections come and go.
    """
    # The library ends every event stream at the first signal, also those that carry the answer of a call in flight.
    AppStatus.disable_automatic_graceful_drain()
    uvicorn_config = uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        loop="uvloop",
        http=http_protocol(write_timeout_s=config.write_timeout_s, count=count_connections),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=config.keep_alive_s,
    )
    return DrainServer(uvicorn_config, app, grace_s=config.graceful_shutdown_s)
