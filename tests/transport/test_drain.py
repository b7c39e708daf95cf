"""SIGTERM with calls in flight."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.promises import promise
from tests.transport.serving import Running, eventually
from tests.transport.sessions import SseClient, Stream, open_session
from tests.transport.wire import ALPHA, MODERN, envelope, get, headers_for, legacy_call, modern_call, post, request

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass
class Process:
    """A server process as `wire` sees a server: by its port."""

    port: int
    process: subprocess.Popen[str]

    @property
    def server(self) -> Running:
        return cast("Running", self)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@contextmanager
def _process(**settings: object) -> Generator[Process]:
    command = [sys.executable, "-m", "tests.transport.serve_process", "http", json.dumps(settings)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            served = Process(int(process.stdout.readline()), process)
            assert eventually(lambda: get(served.server, "/readyz").status == 200)
            yield served
        finally:
            process.kill()


@promise("T4")
@pytest.mark.parametrize("fast_path", [True, False])
@pytest.mark.parametrize("legacy", ["stateless", "sessions"])
def test_calls_in_flight_finish_and_later_ones_are_sent_elsewhere(*, fast_path: bool, legacy: str) -> None:
    with _process(fast_path=fast_path, legacy=legacy, graceful_shutdown_s=15) as served:
        server = served.server
        named = open_session(server) if legacy == "sessions" else {}
        calls: list[dict[str, Any]] = [modern_call("alpha_hold"), legacy_call("alpha_hold", request_id=5)]
        listen = request("subscriptions/listen", {"notifications": {"toolsListChanged": True}, "_meta": envelope()})
        fields = {"mcp-protocol-version": MODERN, "mcp-method": "subscriptions/listen"}
        with (
            Stream(server, ALPHA, calls[0], **headers_for(calls[0])) as modern,
            Stream(server, ALPHA, calls[1], **named) as legacy_stream,
            SseClient(server) as sse,
            Stream(server, ALPHA, listen, **fields) as listening,
        ):
            sse.send(legacy_call("alpha_hold", request_id=6))
            assert listening.message()["method"] == "notifications/subscriptions/acknowledged"
            _wait_for_held_calls(served, 3)
            served.terminate()
            assert eventually(lambda: get(server, "/readyz").status == 503)
            assert get(server, "/livez").status == 200
            late = post(server, modern_call("alpha_echo"), headers={"origin": "http://localhost:6274"})
            assert (late.status, late.headers["retry-after"]) == (503, "5")
            assert late.headers["access-control-allow-origin"] == "http://localhost:6274"
            assert listening.message()["result"]
            assert listening.ended_in_order()
            served.let_go()
            assert [stream.answer().text for stream in (modern, legacy_stream)] == ["finished"] * 2
            assert sse.message()["result"]["content"][0]["text"] == "finished"
            assert sse.ended_in_order()
        assert served.process.wait(10) == 0


def _wait_for_held_calls(served: Process, count: int) -> None:
    def held() -> bool:
        return f"held {count}" in post(served.server, modern_call("alpha_count")).text

    assert eventually(held)


@promise("T4")
def test_a_call_that_does_not_finish_within_the_grace_is_ended_and_the_status_is_still_0() -> None:
    with _process(graceful_shutdown_s=0.2) as served:
        message = modern_call("alpha_hold")
        with Stream(served.server, ALPHA, message, **headers_for(message)):
            _wait_for_held_calls(served, 1)
            served.terminate()
            assert served.process.wait(15) == 0


@promise("T4")
def test_standing_streams_of_sessions_do_not_hold_up_the_end() -> None:
    with _process(legacy="sessions", graceful_shutdown_s=15) as served:
        named = open_session(served.server)
        with Stream(served.server, ALPHA, **named) as standing:
            assert standing.status() == 200
            served.terminate()
            assert standing.ended_in_order()
            assert served.process.wait(10) == 0
