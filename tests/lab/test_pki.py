"""Certificates and kubeconfigs of a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from lab import kubeconfig, pki
from lab.state import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled folder."""
    made = tmp_path_factory.mktemp("lab") / "pki"
    pki.ensure(made)
    return made


def certificate(folder: Path, name: str) -> x509.Certificate:
    """A certificate of the folder."""
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


@pytest.mark.parametrize("name", [*pki.CLIENTS, *pki.SERVERS])
def test_every_certificate_is_signed_by_the_authority(folder: Path, name: str) -> None:
    certificate(folder, name).verify_directly_issued_by(certificate(folder, "ca"))


def test_the_front_proxy_has_an_authority_of_its_own(folder: Path) -> None:
    client = certificate(folder, "front-proxy-client")
    client.verify_directly_issued_by(certificate(folder, "front-proxy-ca"))
    with pytest.raises(ValueError, match="Issuer"):
        client.verify_directly_issued_by(certificate(folder, "ca"))


def test_the_administrator_is_in_the_group_of_masters(folder: Path) -> None:
    subject = certificate(folder, "admin").subject
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == pki.MASTERS


def test_nobody_else_can_read_the_files(folder: Path) -> None:
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_filled_folder_is_left_alone(folder: Path) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    pki.ensure(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_kubeconfigs_hold_the_address_and_the_credentials_of_their_user(tmp_path: Path) -> None:
    state = State(tmp_path)
    pki.ensure(state.pki)
    kubeconfig.write_all(state, api_url="https://127.0.0.1:20001")
    viewer = yaml.safe_load(state.kubeconfig("viewer").read_text(encoding="utf-8"))
    assert viewer["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:20001"
    assert viewer["users"][0]["user"]["token"] == (state.pki / "viewer.token").read_text(encoding="utf-8")
    admin = yaml.safe_load(state.kubeconfig("admin").read_text(encoding="utf-8"))
    assert set(admin["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    assert state.kubeconfig("admin").stat().st_mode & 0o777 == 0o600
