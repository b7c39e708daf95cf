"""A server process for tests: ``python -m tests.transport.serve_process http|stdio SETTINGS``.

``http`` writes its port as the first line of standard output; a line on standard input lets held calls finish.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from typing import Any

from cloud_native_mcp.transport.config import ServerConfig
from cloud_native_mcp.transport.endpoint import Endpoint
from cloud_native_mcp.transport.http_app import build_app
from cloud_native_mcp.transport.server import make_server
from cloud_native_mcp.transport.stdio import serve_stdio
from tests.transport.sample_door import SERVICE, SampleDoor
from tests.transport.serving import IDENTITY, sample_probes


def _let_go_on_a_line(door: SampleDoor) -> None:
    sys.stdin.readline()
    door.let_go()


def _serve_http(settings: dict[str, Any]) -> None:
    door = SampleDoor()
    config = ServerConfig.model_validate(settings)
    app = build_app(door, config, identity=IDENTITY, probes=sample_probes())
    threading.Thread(target=_let_go_on_a_line, args=(door,), daemon=True).start()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        make_server(app, config).run(sockets=[listener])


if __name__ == "__main__":
    if sys.argv[1] == "http":
        _serve_http(json.loads(sys.argv[2]))
    else:
        asyncio.run(serve_stdio(Endpoint(SERVICE, SampleDoor(), identity=IDENTITY)))
