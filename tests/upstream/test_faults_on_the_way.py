"""What a caller is told when the way to the backend, or its answer, is broken."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError
from tests.fault_server.behaviours import (
    Behaviour,
    answer,
    bad_gzip,
    cut_chunks,
    cut_gzip,
    endless,
    gzip_bomb,
    not_http,
    stall,
    trickle,
    wrong_length,
)
from tests.fault_server.server import closed_port, fault_server
from tests.promises import promise
from tests.upstream.clients import Observed, client_for, soon

if TYPE_CHECKING:
    from cloud_native_mcp.upstream.client import Client
    from cloud_native_mcp.upstream.exchange import Answer


async def failure(
    client: Client, method: str = "GET", *, seconds: float = 5.0, max_bytes: int = 64_000_000
) -> BackendError:
    """The error of one request."""
    with pytest.raises(BackendError) as caught:
        await client.request(method, "/x", deadline=soon(seconds), max_bytes=max_bytes)
    return caught.value


async def keep(stream: Answer, parts: list[bytes]) -> None:
    """Read a stream to its end; what came before an error stays in the list."""
    async for part in stream.parts():
        parts.append(part)  # noqa: PERF401 - a comprehension would lose them


@promise("F1")
async def test_a_refused_connection_is_named_with_its_host() -> None:
    with closed_port() as url:
        async with client_for(url) as client:
            error = await failure(client)
    assert error.code == "unreachable"
    assert f"{url.removeprefix('http://')} refused the connection" in error.text


async def test_a_write_to_a_refusing_port_is_unreachable_because_nothing_was_sent() -> None:
    with closed_port() as url:
        async with client_for(url) as client:
            error = await failure(client, "POST")
    assert error.code == "unreachable"


async def test_a_name_that_does_not_resolve_is_named() -> None:
    async with client_for("http://nowhere.invalid") as client:
        error = await failure(client)
    assert error.code == "unreachable"
    assert "nowhere.invalid does not resolve" in error.text


@promise("F3")
async def test_a_backend_that_never_answers_is_given_up_at_the_deadline_and_its_connection_is_closed() -> None:
    async with fault_server(stall()) as server, client_for(server.url) as client:
        error = await failure(client, seconds=0.2)
        assert error.code == "timeout"
        assert "waiting for the answer" in error.text
        await server.wait_for(lambda: server.alive == 0)
    assert len(server.requests) == 1


async def test_the_deadline_is_of_the_whole_request_not_of_the_silence_in_it() -> None:
    async with fault_server(trickle(every=0.02)) as server, client_for(server.url) as client:
        error = await failure(client, seconds=0.3)
        assert error.code == "timeout"
        assert "reading the answer" in error.text
        await server.wait_for(lambda: server.alive == 0)


async def test_a_cancelled_call_closes_its_request() -> None:
    observer = Observed()
    async with fault_server(stall()) as server, client_for(server.url, observer=observer) as client:
        call = asyncio.create_task(client.request("GET", "/x", deadline=soon()))
        await server.wait_for(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.wait_for(lambda: server.alive == 0)
    assert observer.outcomes == ["cancelled"]


@promise("F13")
@pytest.mark.parametrize("fault", [wrong_length(), cut_chunks()])
async def test_a_cut_answer_is_refused_and_its_connection_is_not_used_again(fault: Behaviour) -> None:
    async with fault_server(fault, answer(b"[]")) as server, client_for(server.url) as client:
        error = await failure(client)
        assert error.code == "bad_answer"
        assert "incomplete answer" in error.text
        assert (await client.request("GET", "/again", deadline=soon())).body == b"[]"
    assert server.accepted == 2


@promise("F13")
@pytest.mark.parametrize("fault", [bad_gzip(), cut_gzip()])
async def test_a_cut_gzip_body_is_refused_though_its_length_is_right(fault: Behaviour) -> None:
    async with fault_server(fault) as server, client_for(server.url) as client:
        error = await failure(client)
    assert error.code == "bad_answer"
    assert "incomplete answer" in error.text


@promise("F15")
@pytest.mark.parametrize("fault", [gzip_bomb(1_000), endless(500)])
async def test_a_huge_answer_is_stopped_at_the_cap_of_decoded_bytes_with_flat_memory(fault: Behaviour) -> None:
    async with fault_server(fault) as server, client_for(server.url) as client:
        tracemalloc.start()
        try:
            error = await failure(client, max_bytes=3_000_000)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert error.code == "bad_answer"
        assert "larger than 3 MB" in error.text
        await server.wait_for(lambda: server.alive == 0)
    assert peak < 20_000_000


async def test_an_answer_just_at_the_cap_is_whole() -> None:
    async with fault_server(answer(b"x" * 1_000)) as server, client_for(server.url) as client:
        response = await client.request("GET", "/x", deadline=soon(), max_bytes=1_000)
        error = await failure(client, max_bytes=999)
    assert len(response.body) == 1_000
    assert "larger than 999 bytes" in error.text


async def test_another_protocol_on_the_port_is_a_bad_answer() -> None:
    async with fault_server(not_http()) as server, client_for(server.url) as client:
        error = await failure(client)
    assert error.code == "bad_answer"
    assert "did not answer with valid HTTP" in error.text


async def test_https_to_a_plain_port_says_that_it_does_not_speak_tls() -> None:
    async with fault_server(answer()) as server, client_for(server.url.replace("http://", "https://")) as client:
        error = await failure(client)
    assert error.code == "unreachable"
    assert "does not speak TLS on this port" in error.text


async def test_a_proxy_is_asked_and_one_that_refuses_is_named_without_its_password() -> None:
    with closed_port() as url:
        proxy = url.replace("http://", "http://someone:canary-pass@")
        async with client_for("https://backend.invalid", proxy=proxy) as client:
            error = await failure(client)
    assert "the proxy 127.0.0.1" in error.text
    assert "canary-pass" not in error.text


async def test_proxies_of_the_environment_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("http_proxy", url)
        async with fault_server(answer(b"[]")) as server, client_for(server.url) as client:
            assert (await client.request("GET", "/x", deadline=soon())).status == 200


async def test_a_body_in_parts_ends_with_the_same_errors() -> None:
    async with fault_server(cut_chunks(b"first")) as server, client_for(server.url) as client:
        parts: list[bytes] = []
        async with client.stream("GET", "/log", deadline=soon()) as stream:
            with pytest.raises(BackendError, match="incomplete answer"):
                await keep(stream, parts)
    assert b"".join(parts) == b"first"


async def test_leaving_a_stream_early_closes_its_connection() -> None:
    async with fault_server(trickle(every=0.01)) as server, client_for(server.url) as client:
        async with client.stream("GET", "/log", deadline=soon()) as stream:
            async for _ in stream.parts():
                break
        await server.wait_for(lambda: server.alive == 0)


async def test_a_gzip_answer_is_asked_for_only_away_from_this_machine() -> None:
    async with fault_server(answer()) as server, client_for(server.url) as client:
        await client.request("GET", "/x", deadline=soon())
        assert server.requests[0].headers["accept-encoding"] == "identity"
        async with client_for("http://backend.invalid", proxy=server.url) as remote:
            await remote.request("GET", "/x", deadline=soon())
        assert server.requests[1].headers["accept-encoding"] == "gzip"


async def test_queries_and_paths_are_sent_exactly_as_given() -> None:
    async with fault_server(answer()) as server, client_for(server.url + "/pre%20fix/") as client:
        await client.request("GET", "/a%2Fb", deadline=soon(), params=[("q", "a b&c=d+é"), ("q", "2")])
    assert server.requests[0].target == "/pre%20fix/a%2Fb?q=a%20b%26c%3Dd%2B%C3%A9&q=2"


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/a?b", "/a#b", "/é"])
async def test_a_path_that_is_not_encoded_never_reaches_the_wire(path: str) -> None:
    async with fault_server(answer()) as server, client_for(server.url) as client:
        with pytest.raises(ValueError, match="not a percent-encoded path"):
            await client.request("GET", path, deadline=soon())
    assert server.accepted == 0
