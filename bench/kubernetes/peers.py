"""The servers compared: ours and two from npm, each as its users run it, on the same cluster.

``go`` is kubernetes-mcp-server, with the limit of its Kubernetes client lifted (``KUBE_CLIENT_QPS``), which is the fair
setting; ``node`` is mcp-server-kubernetes. Both answer any request by itself, without a session.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.engine.requests import call_request
from bench.engine.run import API_KEY
from bench.http_load import http_request
from bench.processes import free_port, serving
from lab import environment
from tools import node_env

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from bench.processes import Server

MANIFEST: Final = Path(__file__).parents[1] / "peers"
OURS, GO, NODE = "ours", "go", "node"
_QPS: Final = "100000"


@contextlib.contextmanager
def all_servers() -> Generator[list[Server]]:
    """Ours and both peers, running."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(start()) for start in (ours, _go, _node)]


def ours(name: str = OURS, *, watched: Sequence[str] = ()) -> contextlib.AbstractContextManager[Server]:
    """Our server, as it is deployed.

    Args:
        watched: kinds that it keeps by a watch.
    """
    port = free_port()
    environ = {"BENCH_API_KEY": API_KEY, "KUBECONFIG_ADMIN": _kubeconfig(), "WATCHED_KINDS": ",".join(watched)}
    return serving(name, [sys.executable, "-m", "bench.kubernetes.our_server", str(port)], port, environ=environ)


def _go() -> contextlib.AbstractContextManager[Server]:
    port = free_port()
    (binary,) = (node_env.environment(MANIFEST).bin.parent).glob("kubernetes-mcp-server-linux-*/bin/*")
    command = [str(binary), "--port", str(port), "--bind-address", "127.0.0.1", "--kubeconfig", _kubeconfig()]
    environ = {"KUBE_CLIENT_QPS": _QPS, "KUBE_CLIENT_BURST": _QPS}
    return serving(GO, [*command, "--stateless"], port, environ=environ)


def _node() -> contextlib.AbstractContextManager[Server]:
    port = free_port()
    installed = node_env.environment(MANIFEST)
    path = f"{environment().kubectl.parent}:{installed.environ()['PATH']}"
    environ = {"KUBECONFIG": _kubeconfig(), "PORT": str(port), "HOST": "127.0.0.1", "PATH": path}
    environ["ENABLE_UNSAFE_STREAMABLE_HTTP_TRANSPORT"] = "1"
    return serving(NODE, installed.command("mcp-server-kubernetes"), port, environ=environ)


def request(server: Server, tool: str, arguments: dict[str, object]) -> bytes:
    """One ``tools/call`` in the revision of the protocol that the server speaks best."""
    host = f"127.0.0.1:{server.port}"
    if server.name not in {GO, NODE}:
        return call_request(host, tool, arguments, {"X-API-Key": API_KEY})
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    return http_request("/mcp", json.dumps(body).encode(), host=host, headers={"MCP-Protocol-Version": "2025-06-18"})


def _kubeconfig() -> str:
    return str(environment().kubeconfig_admin)
