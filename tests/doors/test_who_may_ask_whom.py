"""Over HTTP: what a caller without a good credential is told, and where it is sent."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.contract_servers.token_issuer import AUDIENCE, token_issuer
from tests.fault_server.behaviours import answer
from tests.promises import promise
from tests.server_fixtures import Served, ledger_settings, served
from tests.transport.wire import base_headers, exchange, legacy_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping
    from pathlib import Path

    from tests.contract_servers.token_issuer import TokenIssuer

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture
async def issuer() -> AsyncGenerator[TokenIssuer]:
    async with token_issuer() as issuer:
        yield issuer


@contextmanager
def guarded(folder: Path, issuer: TokenIssuer, **server: object) -> Generator[Served]:
    entry = {"issuer": issuer.url, "audiences": [AUDIENCE], "required_scopes": ["estate"]}
    auth = {"issuers": {"idp": entry}}
    with served(ledger_settings(folder, auth=auth, server=server)) as server_:
        yield server_


async def ask(
    server: Served, method: str = "POST", path: str = "/mcp", *, token: str = "", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    """One request, in a thread: the issuer answers in this one."""
    body = json.dumps(legacy_call("ledger_list", {})).encode() if method == "POST" else b""
    fields = {**base_headers(None), **headers, **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = await asyncio.to_thread(exchange, server, method, path, body=body, headers=fields)
    return answer.status, answer.headers, answer.body


@promise("S6")
async def test_nobody_is_told_where_to_get_a_token(tmp_path: Path, issuer: TokenIssuer) -> None:
    with guarded(tmp_path, issuer) as server:
        status, headers, body = await ask(server)
        expected = f'scope="estate", resource_metadata="{server.url}{WELL_KNOWN}/mcp"'
        assert (status, headers["www-authenticate"]) == (401, f'Bearer realm="cloud-native-mcp", {expected}')
        assert b"send a token" in body
        status, headers, body = await ask(server, "GET", f"{WELL_KNOWN}/mcp")
        assert (status, headers["content-type"]) == (200, "application/json")
        assert json.loads(body) == {
            "resource": f"{server.url}/mcp",
            "authorization_servers": [issuer.url],
            "bearer_methods_supported": ["header"],
            "resource_name": "Cloud Native MCP Server",
            "scopes_supported": ["estate"],
        }


async def test_each_endpoint_is_described_and_nothing_else(tmp_path: Path, issuer: TokenIssuer) -> None:
    with guarded(tmp_path, issuer, public_url="https://mcp.example.org") as server:
        for path in ("/mcp", "/api/ledger/sse", "/api/aggregate/streamable-http", ""):
            status, _, body = await ask(server, "GET", f"{WELL_KNOWN}{path}")
            assert (status, json.loads(body)["resource"]) == (200, f"https://mcp.example.org{path}")
        assert (await ask(server, "GET", f"{WELL_KNOWN}/api/nothing/sse"))[0] == 404
        assert (await ask(server, "POST", f"{WELL_KNOWN}/mcp"))[0] == 405
        assert (await ask(server, "GET", f"{WELL_KNOWN}/mcp", Host="evil.example"))[0] == 421


@promise("S6")
@pytest.mark.parametrize("path", ["/x%22,%20evil=%22a", "/x%E2%82%AC", "/mcp%22", "/nothing"])
async def test_no_path_of_a_caller_gets_into_the_challenge(tmp_path: Path, issuer: TokenIssuer, path: str) -> None:
    with guarded(tmp_path, issuer) as server:
        status, headers, _ = await ask(server, path=path)
        assert status == 401
        assert headers["www-authenticate"].endswith(f'resource_metadata="{server.url}{WELL_KNOWN}"')


async def test_a_wrong_token_gets_401_and_one_without_the_scope_403(tmp_path: Path, issuer: TokenIssuer) -> None:
    with guarded(tmp_path, issuer) as server:
        status, headers, _ = await ask(server, token=issuer.token(aud="another"))
        assert status == 401
        assert 'error="invalid_token"' in headers["www-authenticate"]
        status, headers, _ = await ask(server, token=issuer.token(scope="other"))
        assert status == 403
        assert 'error="insufficient_scope", scope="estate"' in headers["www-authenticate"]
        status, _, body = await ask(server, token=issuer.token(scope="estate"))
        assert status == 200, body
        refused = server.stored(lambda line: line.get("stage") == "auth", at_least=2)
        assert {line["code"] for line in refused} == {"unauthenticated", "insufficient_scope"}


async def test_while_the_issuer_is_down_the_answer_is_to_come_back(tmp_path: Path, issuer: TokenIssuer) -> None:
    token = issuer.token(scope="estate")
    issuer.down = answer({}, status=503)
    with guarded(tmp_path, issuer) as server:
        status, headers, _ = await ask(server, token=token)
        assert (status, headers.get("retry-after")) == (503, "5")


@promise("S6")
async def test_a_token_in_the_address_is_not_read_and_not_kept(tmp_path: Path, issuer: TokenIssuer) -> None:
    token = issuer.token(scope="estate")
    with guarded(tmp_path, issuer) as server:
        for name in ("access_token", "token", "api_key", "x-api-key"):
            assert (await ask(server, path=f"/mcp?{name}={token}"))[0] == 401
        server.stored(lambda line: line.get("stage") == "auth", at_least=4)
    assert token not in (tmp_path / "audit.jsonl").read_text(encoding="utf-8")
