"""An API server in front of the lab's whose nodes have kubelets: what the lab's nodes do not serve is answered here.

Everything else is forwarded to the lab's API server. Facts: `docs/testing.md`.
"""

from __future__ import annotations

import contextlib
import html
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from cloud_native_mcp.backends.kubernetes.kubeconfig import load_kubeconfig
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.http import HttpTarget
from cloud_native_mcp.upstream.pool import Pool
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.fault_server.wire import head
from tests.services.kubernetes.clusters import clusters, kubeconfig_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from cloud_native_mcp.contract.http import HttpClient
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.server import FaultServer
    from tests.fault_server.wire import Connection, Request

_PROXY = re.compile(r"/api/v1/nodes/([^/]+)/proxy/(logs|stats/summary)(/.*)?")
_UNSAFE = re.compile(r"[^a-zA-Z\-_0-9@]+")
_NO_OVERRIDES: Mapping[str, Behaviour] = {}


@dataclass
class Kubelet:
    """The kubelet of one node.

    Attributes:
        journal: lines of each service with their times, oldest first.
        files: what stands under ``/var/log``.
        query: ``enableSystemLogQuery``. handler: ``enableSystemLogHandler``.
        reachable: whether the API server reaches it.
    """

    journal: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict[str, list[tuple[datetime, str]]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    summary: object = None
    query: bool = True
    handler: bool = True
    reachable: bool = True

    def answer(self, request: Request, path: str) -> Behaviour:
        """To a request for ``logs`` below ``path``, or for ``stats/summary`` (path empty)."""
        if not self.reachable:
            return refusal(
                503, "ServiceUnavailable", "error trying to reach service: dial tcp 10.9.9.9:10250: i/o timeout"
            )
        if not path:
            return answer(self.summary)
        if not self.handler:
            return answer("logs endpoint is disabled.\n", status=405, kind="text/plain; charset=utf-8")
        asked = dict(parse_qsl(request.target.partition("?")[2]))
        if self.query and "query" in asked:
            return self._query(asked)
        return self._file(path.removeprefix("/"), request)

    def _query(self, asked: Mapping[str, str]) -> Behaviour:
        """The journal, or the file that stands for the service."""
        name = asked["query"]
        if _UNSAFE.search(name):
            return answer(
                "query: Invalid value: input contains unsupported characters\n", status=406, kind="text/plain"
            )
        if name in self.journal:
            since = datetime.fromisoformat(asked["sinceTime"]) if "sinceTime" in asked else None
            lines = [text for moment, text in self.journal[name] if since is None or moment >= since]
            lines = lines[-int(asked["tailLines"]) :] if "tailLines" in asked else lines
            return _text("\n".join([*lines, ""]) if lines else "-- No entries --\n")
        known = next((path for path in (name, f"{name}.log", f"{name}/{name}.log") if path in self.files), None)
        if len(asked) > 1:
            said = f"options present and query resolved to log files for [{name}]"
            return _text(f"\n{said}\ntry without specifying options\n")
        return _text(self.files[known]) if known else _text(f"\nlog not found for {name}\n")

    def _file(self, path: str, request: Request) -> Behaviour:
        """A file server: ranges from the end, lists of folders, redirects to them."""
        if path in self.files:
            return _ranged(self.files[path], request.headers.get("range", ""))
        inside = [name.removeprefix(path) for name in self.files if name.startswith(path)]
        if path and not path.endswith("/"):
            if any(name.startswith(f"{path}/") for name in self.files):
                location = path.rpartition("/")[2] + "/"
                return answer(b"", status=301, headers={"Location": location}, kind="text/html")
            return answer("404 page not found\n", status=404, kind="text/plain; charset=utf-8")
        if not inside:
            return answer("404 page not found\n", status=404, kind="text/plain; charset=utf-8")
        entries = dict.fromkeys(name if "/" not in name else name.partition("/")[0] + "/" for name in inside)
        base = f"{request.path.rstrip('/')}/"  # the API server's proxy rewrites links
        links = "\n".join(f'<a href="{base}{html.escape(e)}">{html.escape(e)}</a>' for e in sorted(entries))
        page = f'<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n{links}\n</pre>\n'
        return answer(page, kind="text/html; charset=utf-8")


def journal(
    service: str, node: str, texts: Sequence[str], *, every: timedelta = timedelta(minutes=1)
) -> list[tuple[datetime, str]]:
    """Lines of a service as ``journalctl --output=short-precise`` prints them, the last one written just now."""
    now = datetime.now(UTC)
    moments = [now - every * (len(texts) - 1 - index) for index in range(len(texts))]
    return [
        (moment, f"{moment:%b %d %H:%M:%S.%f} {node} {service}[812]: {text}")
        for moment, text in zip(moments, texts, strict=True)
    ]


def summary(
    node: str, *, pods: Sequence[Mapping[str, object]] = (), full: float = 0.4, psi: bool = True
) -> dict[str, object]:
    """An answer of ``stats/summary``."""
    now = "2026-01-01T00:00:00Z"
    pressure = {"psi": {"full": _psi(0.1), "some": _psi(2.5)}} if psi else {}
    capacity = 100 * 2**30
    used = int(capacity * full)
    space = {
        "time": now,
        "capacityBytes": capacity,
        "availableBytes": capacity - used,
        "usedBytes": used,
        "inodes": 1000,
        "inodesFree": 900,
        "inodesUsed": 100,
    }
    return {
        "node": {
            "nodeName": node,
            "startTime": now,
            "cpu": {"time": now, "usageNanoCores": 1_500_000_000, "usageCoreNanoSeconds": 10**15, **pressure},
            "memory": {"time": now, "usageBytes": 3 * 2**30, "workingSetBytes": 2 * 2**30, **pressure},
            "io": {"time": now, **pressure} if psi else None,
            "network": {"time": now, "name": "eth0", "rxErrors": 3, "txErrors": 0, "interfaces": []},
            "fs": space,
            "runtime": {"imageFs": {**space, "usedBytes": 7 * 2**30}},
        },
        "pods": list(pods),
    }


def pod_stats(namespace: str, pod: str, claim: str, *, used: int, capacity: int) -> dict[str, object]:
    """A pod with one volume behind a claim, and one that is not."""
    volume = {"capacityBytes": capacity, "availableBytes": capacity - used, "usedBytes": used}
    inodes = {"inodes": 200, "inodesFree": 190, "inodesUsed": 10}
    return {
        "podRef": {"name": pod, "namespace": namespace, "uid": "1"},
        "startTime": "2026-01-01T00:00:00Z",
        "containers": [],
        "volume": [
            {"time": "2026-01-01T00:00:00Z", **volume, **inodes, "name": "data"}
            | {"pvcRef": {"name": claim, "namespace": namespace}},
            {"time": "2026-01-01T00:00:00Z", "usedBytes": 4096, "name": "kube-api-access"},
        ],
    }


def refusal(status: int, reason: str, message: str) -> Behaviour:
    """A Status of the API server."""
    said = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": status,
    }
    return answer(said, status=status)


def log_that_stalls(*lines: str, closed: asyncio.Event) -> Behaviour:
    """A log whose stream gives these lines and then nothing more, until the client closes it."""

    async def act(connection: Connection, _request: Request) -> None:
        await _begin(connection, lines)
        await connection.client_closed()
        closed.set()

    return act


def log_that_is_cut(*lines: str) -> Behaviour:
    """A log whose stream gives these lines and then breaks off."""

    async def act(connection: Connection, _request: Request) -> None:
        await _begin(connection, lines)
        await connection.close()

    return act


@contextlib.asynccontextmanager
async def in_front(
    kubeconfig: Path,
    kubelets: Mapping[str, Kubelet] | None = None,
    overrides: Mapping[str, Behaviour] = _NO_OVERRIDES,
    policy: Mapping[str, object] | None = None,
    settings: Mapping[str, object] | None = None,
) -> AsyncGenerator[tuple[Desk, FaultServer]]:
    """The service with this API server as its only target, and the server with the requests it got.

    Args:
        kubeconfig: of the API server behind.
        kubelets: by node; other nodes have none.
        overrides: behaviours by path; what is added to them later counts from then on.
        policy: of the service for that target.
        settings: further ones of the service.
    """
    access = load_kubeconfig([kubeconfig]).access()
    behind = HttpTarget(
        service="lab", name="behind", base_url=access.server, credentials=access.credentials, tls=access.tls
    )
    pool = Pool()
    client = pool.client(behind)

    def choose(request: Request) -> Behaviour:
        if request.path in overrides:
            return overrides[request.path]
        found = _PROXY.fullmatch(request.path)
        kubelet = (kubelets or {}).get(found[1]) if found else None
        if found is None or kubelet is None:
            return _forward(client)
        return kubelet.answer(request, unquote(found[3] or "/") if found[2] == "logs" else "")

    try:
        async with fault_server(choose=choose) as server:
            with kubeconfig_of(server.url) as path:
                async with clusters(policy=policy, settings=settings, front=path) as desk:
                    yield desk, server
    finally:
        await pool.close()


def _forward(client: HttpClient) -> Behaviour:
    async def act(connection: Connection, request: Request) -> None:
        params = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
        headers = {name: request.headers[name] for name in ("accept", "content-type") if name in request.headers}
        if ("watch", "1") in params:
            await _forward_watch(client, connection, request.path, params)
            return
        response = await client.request(
            request.method,
            request.path,
            deadline=Deadline.after(30),
            params=params,
            headers=headers,
            body=request.body or None,
        )
        kind = response.headers.get("content-type", "application/json")
        await answer(response.body, status=response.status, kind=kind)(connection, request)

    return act


async def _forward_watch(
    client: HttpClient, connection: Connection, path: str, params: Sequence[tuple[str, str]]
) -> None:
    async with client.stream("GET", path, deadline=Deadline.after(30), params=params) as stream:
        await connection.send(head(stream.status, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
        async for part in stream.parts():
            if not await connection.send(f"{len(part):x}\r\n".encode() + part + b"\r\n"):
                return
        await connection.send(b"0\r\n\r\n")


async def _begin(connection: Connection, lines: Sequence[str]) -> None:
    data = "".join(f"2026-01-01T00:00:{number:02}.5Z {line}\n" for number, line in enumerate(lines)).encode()
    await connection.send(head(200, {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}))
    await connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _text(body: str | bytes) -> Behaviour:
    return answer(body, kind="text/plain;charset=UTF-8")


def _ranged(body: bytes, wanted: str) -> Behaviour:
    suffix = re.fullmatch(r"bytes=-(\d+)", wanted)
    if suffix is None or not body:
        return answer(body, kind="text/plain; charset=utf-8")
    part = body[-int(suffix[1]) :]
    place = f"bytes {len(body) - len(part)}-{len(body) - 1}/{len(body)}"
    return answer(part, status=206, headers={"Content-Range": place}, kind="text/plain; charset=utf-8")


def _psi(average: float) -> dict[str, float]:
    return {"total": 12345, "avg10": average, "avg60": average, "avg300": average}
