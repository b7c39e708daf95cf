"""What a client writes about an identity reaches no backend and makes nobody another caller, at whatever door."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.backends.kubernetes.clusters import aggregated, entry, group, routes
from tests.fault_server.behaviours import answer
from tests.fault_server.server import FaultServer, fault_server
from tests.promises import promise
from tests.server_fixtures import KEY, Served, ledger_settings, served
from tests.services.kubernetes.clusters import kubeconfig_of
from tests.transport.sessions import SseClient, open_session
from tests.transport.wire import LEGACY, legacy_call, modern_call, post

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

MARK = "forged-7d1f"
FORGED = {
    "Impersonate-User": MARK,
    "Impersonate-Group": f"system:masters {MARK}",
    "Impersonate-Uid": MARK,
    "Impersonate-Extra-Scopes": MARK,
    "X-Remote-User": MARK,
    "X-Remote-Group": f"system:masters {MARK}",
    "X-Remote-Extra-Scopes": MARK,
    "X-Scope-OrgID": MARK,
    "X-Grafana-Org-Id": MARK,
    "X-Grafana-User": MARK,
    "X-Forwarded-User": MARK,
    "X-Forwarded-Groups": f"system:masters {MARK}",
    "X-Forwarded-Access-Token": MARK,
    "X-Forwarded-For": "203.0.113.66",
    "Forwarded": "for=203.0.113.66",
    "X-Auth-Request-User": MARK,
    "X-WebAuth-User": MARK,
    "Cookie": f"session={MARK}",
    "X-Anything-Else": MARK,
}
CALLS = {
    "kubernetes_list": {"kind": "pods", "namespace": "shop"},
    "helm_list": {"namespace": "shop"},
    "prometheus_query": {"query": "up"},
}
DISCOVERY = {
    "/api": answer(aggregated(group("", v1=[entry("pods", "Pod"), entry("secrets", "Secret")]))),
    "/apis": answer(aggregated(group("apps", v1=[entry("deployments", "Deployment")]))),
}
STREAMABLE = "/api/aggregate/streamable-http"
SSE = "/api/aggregate/sse"


@contextmanager
def recording() -> Generator[FaultServer]:
    """A backend in a thread of its own that remembers what it is asked."""
    ready, done = threading.Event(), threading.Event()
    made: list[FaultServer] = []

    async def work() -> None:
        async with fault_server(choose=routes(DISCOVERY)) as server:
            made.append(server)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(work()), name="recording")
    thread.start()
    try:
        assert ready.wait(10)
        yield made[0]
    finally:
        done.set()
        thread.join(10)


class Setup:
    """The server, and the one backend of all its services."""

    def __init__(self, server: Served, backend: FaultServer) -> None:
        self.server = server
        self.backend = backend


@pytest.fixture(params=["stateless", "sessions"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setup]:
    legacy: str = request.param
    with recording() as backend, kubeconfig_of(backend.url) as kubeconfig:
        acting = {"users": [{"principal": "tester", "user": "mcp:{id}"}]}
        cluster = {"kubeconfig": str(kubeconfig), "identity": "impersonate", "impersonate": acting}
        settings = ledger_settings(
            tmp_path,
            auth={"api_keys": {"tester": {"key": KEY}}},
            server={"legacy": legacy, "trusted_proxies": ["192.0.2.1"]},
            ledger={"enabled": False},
            kubernetes={"enabled": True, "targets": {"main": cluster}},
            helm={"enabled": True, "targets": {"main": cluster}},
            prometheus={"enabled": True, "targets": {"main": {"url": backend.url}}},
        )
        with served(settings) as server:
            yield Setup(server, backend)


def through_modern(setup: Setup, tool: str) -> None:
    post(setup.server, modern_call(tool, dict(CALLS[tool])), path=STREAMABLE, headers={**FORGED, "x-api-key": KEY})


def through_the_library(setup: Setup, tool: str) -> None:
    """With a progress token, which the fast path leaves to the library."""
    call = modern_call(tool, dict(CALLS[tool]), progressToken="p")
    post(setup.server, call, path="/mcp", headers={**FORGED, "x-api-key": KEY})


def through_legacy(setup: Setup, tool: str) -> None:
    headers = {**FORGED, "x-api-key": KEY, "mcp-protocol-version": LEGACY}
    if setup.server.inside.settings.server.legacy == "sessions":
        headers |= open_session(setup.server, path=STREAMABLE, headers={**FORGED, "x-api-key": KEY})
    post(setup.server, legacy_call(tool, dict(CALLS[tool])), path=STREAMABLE, headers=headers)


def through_sse(setup: Setup, tool: str) -> None:
    with SseClient(setup.server, SSE, **{**FORGED, "x-api-key": KEY}) as client:
        client.send(legacy_call(tool, dict(CALLS[tool])))
        assert client.message()


@promise("S8")
@pytest.mark.parametrize("door", [through_modern, through_the_library, through_legacy, through_sse])
def test_no_backend_hears_what_a_client_says_about_itself(setup: Setup, door: Callable[[Setup, str], None]) -> None:
    for tool in CALLS:
        asked = len(setup.backend.requests)
        door(setup, tool)
        (line,) = setup.server.stored(lambda line, tool=tool: line.get("tool") == tool and line["phase"] == "end")
        assert (line["principal"], line["method"], line["peer"]) == ("tester", "api_key", "127.0.0.1")
        sent = setup.backend.requests[asked:]
        assert sent
        for request in sent:
            said = json.dumps([request.target, dict(request.headers), request.body.decode()])
            assert not any(forged in said for forged in (MARK, "system:masters", "203.0.113.66"))
            own = tool == "prometheus_query" or request.path in DISCOVERY
            assert request.headers.get("impersonate-user") == (None if own else "mcp:tester")


@promise("S8")
def test_without_a_key_they_let_nobody_in(setup: Setup) -> None:
    before = len(setup.backend.requests)
    assert post(setup.server, modern_call("kubernetes_list"), path=STREAMABLE, headers=dict(FORGED)).status == 401
    assert len(setup.backend.requests) == before
