"""No caller chooses where a backend is: tools take target names, and what addresses they take go through the guard."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.app import offline_catalogue
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.routing.request import AGGREGATE, CallRequest, Client
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.promises import promise
from tests.services.utilities.serving import serving, text_of

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = re.compile(r"(^|_)(url|uri|host|hostname|address|endpoint|server|base|proxy|api_server|backend|port)(_|$)")
GUARDED = {"utilities_fetch.url", "helm_repo.url"}
"""Arguments that are addresses on purpose: each goes through the egress guard."""
PORTS = {
    "kubernetes_connect.port": "of a pod or Service, which the API server looks up by its name",
    "kubernetes_connect.local_port": "of this machine, for the caller of a local server",
}
"""Arguments that name a port and no host."""


async def silent(done: float, total: float | None = None, message: str | None = None) -> None:
    """Progress nobody listens to."""


@promise("S12")
def test_no_argument_of_any_tool_is_an_address_but_the_guarded_one() -> None:
    found = {
        f"{entry.name}.{name}"
        for entry in offline_catalogue(Effect, "extended")
        for name in entry.properties
        if ADDRESS.search(name)
    }
    assert found == GUARDED | PORTS.keys()


@promise("S12")
def test_nothing_of_a_clients_headers_reaches_a_tool() -> None:
    assert {field.name for field in dataclasses.fields(Client)} == {"door", "peer", "protocol_version", "traceparent"}
    assert {field.name for field in dataclasses.fields(CallRequest)} == {
        "endpoint", "tool", "arguments", "principal", "client", "progress", "request_id", "consent",
    }  # fmt: skip


@promise("S12")
@pytest.mark.parametrize("name", ["url", "base_url", "host", "endpoint", "proxy", "server"])
async def test_an_argument_that_would_pick_a_backend_is_unknown_and_contacts_nothing(tmp_path: Path, name: str) -> None:
    async with fault_server(answer()) as elsewhere, fault_server(answer()) as backend:
        async with serving(tmp_path, prometheus={"targets": {"main": {"url": backend.url}}}) as server:
            answered = await server.app.door.call(
                CallRequest(
                    endpoint=AGGREGATE,
                    tool="prometheus_status",
                    arguments={name: elsewhere.url},
                    principal=LOCAL,
                    client=Client("cli"),
                    progress=silent,
                    request_id="r",
                )
            )
            assert answered.is_error
            assert "unknown argument" in text_of(answered)
        assert elsewhere.accepted == backend.accepted == 0


@promise("S12")
async def test_a_target_is_a_configured_name_never_an_address(tmp_path: Path) -> None:
    async with fault_server(answer()) as elsewhere, fault_server(answer()) as backend:
        async with serving(tmp_path, prometheus={"targets": {"main": {"url": backend.url}}}) as server:
            text = await server.refusal("prometheus_status", target=elsewhere.url)
            assert text.startswith("invalid_argument: target: no target")
            assert "main" in text
        assert elsewhere.accepted == backend.accepted == 0
