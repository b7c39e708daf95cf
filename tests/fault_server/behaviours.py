"""What the fault server does with one request: the good answer, and each fault."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping

from tests.fault_server.wire import NO_HEADERS, Connection, Request, as_body, head

Behaviour = Callable[[Connection, Request], Awaitable[None]]

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>password</form></body></html>"
_MEGABYTE = 1_048_576


def answer(
    body: object = b"{}", *, status: int = 200, headers: Mapping[str, str] = NO_HEADERS, kind: str = "application/json"
) -> Behaviour:
    """A whole answer on a connection that is kept."""
    data = as_body(body)

    async def act(connection: Connection, request: Request) -> None:
        fields = {"Content-Type": kind, "Content-Length": str(len(data)), **headers}
        await connection.send(head(status, fields) + (b"" if request.method == "HEAD" else data))

    return act


def html_login() -> Behaviour:
    """Status 200 with a login page, as a proxy in between answers."""
    return answer(LOGIN_PAGE, kind="text/html; charset=utf-8")


def stall() -> Behaviour:
    """Never answer; ends when the client closes."""

    async def act(connection: Connection, _request: Request) -> None:
        await connection.client_closed()

    return act


def trickle(*, every: float) -> Behaviour:
    """The head at once, then one byte of the body at a time."""

    async def act(connection: Connection, _request: Request) -> None:
        await connection.send(head(200, {"Content-Type": "application/json", "Content-Length": "100000"}))
        while await connection.send(b" "):  # noqa: ASYNC110 - time itself is the fault here
            await asyncio.sleep(every)

    return act


def reset() -> Behaviour:
    """RST before any byte of the answer."""

    async def act(connection: Connection, _request: Request) -> None:
        connection.reset()

    return act


def reset_in_body() -> Behaviour:
    """RST in the middle of the body, after the client had time to read its first part."""

    async def act(connection: Connection, _request: Request) -> None:
        await connection.send(head(200, {"Content-Type": "application/json", "Content-Length": "1000"}) + b'{"items":[')
        await asyncio.sleep(0.05)
        connection.reset()

    return act


def close() -> Behaviour:
    """FIN before any byte of the answer."""

    async def act(connection: Connection, _request: Request) -> None:
        await connection.close()

    return act


def answer_then_close(body: object = b"{}") -> Behaviour:
    """A whole answer that promises a kept connection, which is then closed."""
    good = answer(body)

    async def act(connection: Connection, request: Request) -> None:
        await good(connection, request)
        await connection.close()

    return act


def wrong_length(body: object = b'{"items": []}', *, announced: int = 1_000) -> Behaviour:
    """Content-Length says more than the body holds; then FIN."""

    async def act(connection: Connection, _request: Request) -> None:
        fields = {"Content-Type": "application/json", "Content-Length": str(announced)}
        await connection.send(head(200, fields) + as_body(body))
        await connection.close()

    return act


def cut_chunks(body: object = b'{"items": [') -> Behaviour:
    """A chunked body without its last chunk; then FIN."""
    data = as_body(body)

    async def act(connection: Connection, _request: Request) -> None:
        await connection.send(head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
        await connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await connection.close()

    return act


def cut_json() -> Behaviour:
    """A whole HTTP answer whose JSON ends early."""
    return answer(b'{"items": [{"metadata": {"name": "a')


def bad_gzip() -> Behaviour:
    """A body that says gzip and is not."""
    return answer(b'{"items": []}', headers={"Content-Encoding": "gzip"})


def cut_gzip(body: object = b'{"items": [], "padding": "0123456789abcdef"}') -> Behaviour:
    """A gzip body without its end, of the right length."""
    return answer(gzip.compress(as_body(body))[:-12], headers={"Content-Encoding": "gzip"})


def gzip_bomb(megabytes: int) -> Behaviour:
    """A JSON string of that size, compressed about 1:1000, sent in chunks."""

    async def act(connection: Connection, _request: Request) -> None:
        fields = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        await connection.send(head(200, fields))
        for part in _bomb(megabytes):
            if part and not await connection.send(f"{len(part):x}\r\n".encode() + part + b"\r\n"):
                return
        await connection.send(b"0\r\n\r\n")

    return act


def _bomb(megabytes: int) -> Iterator[bytes]:
    """Gzip of a long string. After a full flush the same megabyte gives the same bytes, so it is packed once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    yield packer.compress(b'{"padding": "') + packer.flush(zlib.Z_FULL_FLUSH)
    repeated = packer.compress(b"a" * _MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes):
        yield repeated
    yield packer.compress(b'"}') + packer.flush()


def endless(megabytes: int = 500) -> Behaviour:
    """A plain body of that size in chunks; ends early when the client is gone."""

    async def act(connection: Connection, _request: Request) -> None:
        await connection.send(head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
        chunk = f"{_MEGABYTE:x}\r\n".encode() + b" " * _MEGABYTE + b"\r\n"
        for _ in range(megabytes):
            if not await connection.send(chunk):
                return
        await connection.send(b"0\r\n\r\n")

    return act


def not_http() -> Behaviour:
    """Bytes of another protocol."""

    async def act(connection: Connection, _request: Request) -> None:
        await connection.send(b"220 mail.example ESMTP ready\r\n\r\n")
        await connection.close()

    return act
