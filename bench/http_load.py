"""A small HTTP/1.1 load generator: keep-alive connections that send prepared requests and read whole answers.

It speaks just enough HTTP for the servers measured here (Content-Length and chunked bodies), so that the load costs the
machine little compared with the server.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LIMIT = 16 << 20


class LoadError(Exception):
    """A server answered with another status than 200, or closed the connection."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run did: answers, their bytes, and the seconds each took, sorted."""

    calls: int
    bytes: int
    latencies: Sequence[float]

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of the calls did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def http_request(path: str, body: bytes, *, host: str, headers: dict[str, str]) -> bytes:
    """The bytes of one POST with a JSON body."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
    lines += ["Accept: application/json, text/event-stream", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def run_load(port: int, requests: Sequence[bytes], *, clients: int, calls: int) -> Load:
    """Send ``calls`` requests (taken in turn) over ``clients`` connections, each waiting for its answer."""
    todo = itertools.islice(itertools.cycle(requests), calls)
    results = await asyncio.gather(*(_client(port, todo) for _ in range(clients)))
    latencies = sorted(latency for _, own in results for latency in own)
    return Load(calls=len(latencies), bytes=sum(size for size, _ in results), latencies=latencies)


async def _client(port: int, todo: Iterator[bytes]) -> tuple[int, list[float]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT)
    clock = asyncio.get_running_loop().time
    size, latencies = 0, list[float]()
    try:
        for request in todo:
            start = clock()
            writer.write(request)
            size += await _answer(reader)
            latencies.append(clock() - start)
    finally:
        writer.close()
        await writer.wait_closed()
    return size, latencies


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer; its body's bytes."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head.lower().split(b"\r\n")
    headers = dict(line.split(b":", 1) for line in lines if b":" in line)
    if b" 200 " not in status + b" ":
        rest = await reader.read(500)
        raise LoadError(f"{status.decode()}: {rest[:500]!r}")
    if b"content-length" in headers:
        return len(await reader.readexactly(int(headers[b"content-length"])))
    return await _chunks(reader)


async def _chunks(reader: asyncio.StreamReader) -> int:
    size = 0
    while True:
        length = int(await reader.readline(), 16)
        await reader.readexactly(length + 2)
        if length == 0:
            return size
        size += length
