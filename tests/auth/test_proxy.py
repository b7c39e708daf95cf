"""Callers whom a trusted proxy has authenticated, and those who only say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from cloud_native_mcp.auth.authenticator import Authenticator
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.credentials import BadCredentials, Unauthenticated
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.upstream.pool import Pool
from tests.config.loading import settings_of
from tests.promises import promise
from tests.server_fixtures import KEY, Served, ledger_settings, served
from tests.transport.wire import modern_call, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, GROUPS = b"x-forwarded-user", b"x-forwarded-groups"
ALICE = [(USER, b"alice@example.com"), (GROUPS, b"team-a, ops ,team-a"), (GROUPS, b"late")]


def proxied(**proxy: object) -> Authenticator:
    return Authenticator(AuthConfig.model_validate({"mode": "proxy", "proxy": proxy}), SecretStore(), http=Pool())


async def test_a_trusted_proxy_names_the_caller_and_its_groups() -> None:
    found = await proxied().authenticate(ALICE, from_proxy=True)
    assert found == Principal("alice@example.com", "proxy", groups=("team-a", "ops", "late"))


async def test_the_headers_are_those_of_the_configuration() -> None:
    authenticator = proxied(user_header="X-Remote-User", groups_header="X-Remote-Group", groups_separator="|")
    headers = [(b"x-remote-user", b"alice"), (b"x-remote-group", b"a|b"), (USER, b"eve")]
    assert await authenticator.authenticate(headers, from_proxy=True) == Principal("alice", "proxy", groups=("a", "b"))


@promise("S8")
async def test_the_same_headers_of_anybody_else_are_no_credentials() -> None:
    with pytest.raises(Unauthenticated):
        await proxied().authenticate(ALICE)


@promise("S8")
@pytest.mark.parametrize(
    "headers", [[], [(USER, b"")], [(USER, b"  ")], [(GROUPS, b"ops")], [(b"x-remote-user", b"a")]]
)
async def test_a_proxy_that_names_nobody_lets_nobody_in(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Unauthenticated):
        await proxied().authenticate(headers, from_proxy=True)


@promise("S8")
@pytest.mark.parametrize(
    "headers",
    [
        [(USER, b"system:admin")],
        [(USER, b"System:Masters")],
        [(USER, "böb".encode())],
        [(USER, b"a\x00b")],
        [(USER, b"a" * 300)],
        [(USER, b"alice"), (USER, b"bob")],
        [(USER, b"alice"), (GROUPS, b",".join(b"g%d" % number for number in range(300)))],
    ],
)
async def test_a_name_that_is_none_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadCredentials):
        await proxied().authenticate(headers, from_proxy=True)


@promise("S8")
async def test_groups_of_kubernetes_itself_are_left_out() -> None:
    headers = [(USER, b"alice"), (GROUPS, b"system:masters, ops, SYSTEM:nodes")]
    assert (await proxied().authenticate(headers, from_proxy=True)).groups == ("ops",)


async def test_keys_count_only_where_their_mode_is_on() -> None:
    keys = {"api_keys": {"ci": {"key": KEY}}}
    both = Authenticator(AuthConfig.model_validate({"mode": ["api_key", "proxy"], **keys}), SecretStore(), http=Pool())
    assert (await both.authenticate([(b"x-api-key", KEY.encode())])).id == "ci"
    assert (await both.authenticate(ALICE, from_proxy=True)).method == "proxy"
    only = Authenticator(AuthConfig.model_validate({"mode": "proxy", **keys}), SecretStore(), http=Pool())
    with pytest.raises(Unauthenticated):
        await only.authenticate([(b"x-api-key", KEY.encode())])


def test_a_mode_that_could_let_nobody_in_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"proxy needs server\.trusted_proxies"):
        settings_of(flags={"auth": {"mode": "proxy"}})
    with pytest.raises(ValidationError):
        AuthConfig.model_validate({"mode": "proxy", "proxy": {"user_header": "X User"}})


@pytest.fixture(scope="module", params=["192.0.2.1", "127.0.0.1"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, bool]]:
    """The whole server, and whether the tests' own address is a proxy it trusts."""
    folder: Path = tmp_path_factory.mktemp("proxied")
    address: str = request.param
    settings = ledger_settings(folder, auth={"mode": "proxy"}, server={"trusted_proxies": [address], "port": 0})
    with served(settings) as running:
        yield running, address == "127.0.0.1"


@promise("S8")
def test_over_http_only_a_trusted_proxy_brings_callers(server: tuple[Served, bool]) -> None:
    running, trusted = server
    said = {"x-forwarded-user": "alice", "x-forwarded-groups": "ops", "x-forwarded-for": "203.0.113.9"}
    answer = post(running, modern_call("ledger_list"), path="/mcp", headers=said)
    assert answer.status == (200 if trusted else 401)
    assert post(running, modern_call("ledger_list"), path="/mcp").status == 401
    if trusted:
        record = running.stored(lambda line: line.get("tool") == "ledger_list" and line["phase"] == "end")[0]
        assert (record["principal"], record["method"], record["peer"]) == ("alice", "proxy", "203.0.113.9")
    metrics = running.inside.metrics.render()[0].decode()
    assert f"cnmcp_dropped_identity_headers_total {0.0 if trusted else 1.0}" in metrics
