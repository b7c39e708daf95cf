"""TLS to a target: what is verified, what is told, and files that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.http import ClientCertificate, TlsOptions
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.upstream.tls import CHECK_SECONDS, TlsContexts
from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.fault_server.tls import Authority
from tests.upstream.clients import client_for, soon

if TYPE_CHECKING:
    from pathlib import Path


async def refused(url: str, tls: TlsOptions) -> str:
    """The text of the failed request."""
    async with client_for(url, tls=tls) as client:
        with pytest.raises(BackendError) as caught:
            await client.request("GET", "/x", deadline=soon())
    assert caught.value.code == "unreachable"
    return caught.value.text


async def test_a_certificate_of_the_given_authority_is_taken(tmp_path: Path) -> None:
    authority = Authority()
    for tls in (TlsOptions(ca_data=authority.pem), TlsOptions(ca_file=authority.write(tmp_path / "ca.pem"))):
        async with (
            fault_server(answer(b"[]"), tls=authority.server()) as server,
            client_for(server.url, tls=tls) as client,
        ):
            assert (await client.request("GET", "/x", deadline=soon())).body == b"[]"


async def test_each_wrong_certificate_is_named() -> None:
    authority = Authority()
    tls = TlsOptions(ca_data=authority.pem)
    async with fault_server(answer(), tls=authority.server(expired=True)) as server:
        assert "has expired" in await refused(server.url, tls)
    async with fault_server(answer(), tls=authority.server("elsewhere.example")) as server:
        assert "is for another name" in await refused(server.url, tls)
    async with fault_server(answer(), tls=Authority().server()) as server:
        assert "unknown CA" in await refused(server.url, tls)


async def test_the_name_in_the_certificate_can_differ_from_the_host_when_configured() -> None:
    authority = Authority()
    tls = TlsOptions(ca_data=authority.pem, server_name="elsewhere.example")
    async with (
        fault_server(answer(), tls=authority.server("elsewhere.example")) as server,
        client_for(server.url, tls=tls) as client,
    ):
        assert (await client.request("GET", "/x", deadline=soon())).status == 200


async def test_verification_can_be_switched_off() -> None:
    async with (
        fault_server(answer(), tls=Authority().server("elsewhere.example")) as server,
        client_for(server.url, tls=TlsOptions(verify=False)) as client,
    ):
        assert (await client.request("GET", "/x", deadline=soon())).status == 200


async def test_a_client_certificate_is_presented_from_data_and_a_server_that_misses_it_is_unreachable() -> None:
    authority, clients = Authority(), Authority()
    cert, key = clients.client()
    with_cert = TlsOptions(ca_data=authority.pem, cert_data=cert, key_data=key)
    async with fault_server(answer(), tls=authority.server_asking_for_clients(clients)) as server:
        async with client_for(server.url, tls=with_cert) as client:
            assert (await client.request("GET", "/x", deadline=soon())).status == 200
        assert "localhost" in await refused(server.url, TlsOptions(ca_data=authority.pem))


class Replaced:
    """A client certificate that a test replaces."""

    def __init__(self, given: tuple[bytes, bytes]) -> None:
        self.given = given

    def certificate(self) -> ClientCertificate:
        """The present one."""
        return ClientCertificate(*self.given)


async def test_a_replaced_client_certificate_is_shown_on_a_new_connection_and_the_old_one_is_let_go() -> None:
    authority, clients = Authority(), Authority()
    source = Replaced(clients.client())
    tls = TlsOptions(ca_data=authority.pem)
    async with (
        fault_server(answer(), tls=authority.server_asking_for_clients(clients)) as server,
        client_for(server.url, tls=tls, certificates=source) as client,
    ):
        for _ in range(3):
            assert (await client.request("GET", "/x", deadline=soon())).status == 200
        assert server.accepted == 1
        old = client.target.present_tls
        source.given = clients.client()
        for _ in range(3):
            assert (await client.request("GET", "/x", deadline=soon())).status == 200
        assert server.accepted == 2
        assert old not in client._tls._kept
        assert client.target.present_tls in client._tls._kept


async def test_a_missing_file_is_told_without_its_path(tmp_path: Path) -> None:
    text = await refused("https://localhost:1", TlsOptions(ca_file=tmp_path / "absent.pem"))
    assert "CA certificate cannot be loaded" in text
    assert str(tmp_path) not in text


def test_changed_files_make_a_new_context_and_half_written_ones_keep_the_old(tmp_path: Path) -> None:
    now = [0.0]
    contexts = TlsContexts(clock=lambda: now[0])
    path = Authority().write(tmp_path / "ca.pem")
    options = TlsOptions(ca_file=path)
    first = contexts.context(options, label="t")
    now[0] += CHECK_SECONDS
    assert contexts.context(options, label="t") is first
    path.write_bytes(path.read_bytes()[:100])
    now[0] += CHECK_SECONDS
    assert contexts.context(options, label="t") is first
    Authority().write(path)
    now[0] += CHECK_SECONDS
    assert contexts.context(options, label="t") is not first
