"""One endpoint on standard input and output, both eras: the client's first request decides.

Nothing but messages is written to standard output: while serving, what anything else prints goes to standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.stdio import stdio_server

if TYPE_CHECKING:
    from cloud_native_mcp.transport.endpoint import Endpoint


async def serve_stdio(endpoint: Endpoint) -> None:
    """Serve until standard input ends; calls in flight are then cancelled."""
    server = endpoint.server
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.streaming_options())
