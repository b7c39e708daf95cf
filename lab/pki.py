"""Certificates, keys and tokens of one lab, made once per state folder."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 3650
SERVICE_ADDRESS = "10.0.0.1"
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "metrics-server.kube-system.svc")
ADDRESSES = ("127.0.0.1", SERVICE_ADDRESS)
MASTERS = "system:masters"
# file name → (common name, organisation)
CLIENTS = {
    "admin": ("lab-admin", MASTERS),
    "apiserver-kubelet-client": ("kube-apiserver-kubelet-client", MASTERS),
    "kwok": ("kwok-controller", MASTERS),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
}
SERVERS = ("kube-apiserver", "kubelet", "metrics-server")
# users known by a static token; what they may do is in conf/rbac.yaml
TOKEN_USERS = ("viewer", "nobody", "prometheus", "metrics-server")


@dataclass(frozen=True)
class Authority:
    """A certificate authority that signs for `VALID_DAYS`."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, name: str) -> Authority:
        """A new self-signed authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name, "")
        usage = _key_usage(signs=True)
        builder = _builder(subject, subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(usage, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        return cls(key, builder.sign(key, hashes.SHA256()))

    def client(self, name: str, organisation: str) -> tuple[bytes, bytes]:
        """Certificate and key, in PEM, that name a user and a group."""
        return self._leaf(_name(name, organisation), ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def server(self, name: str, *, names: tuple[str, ...], addresses: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
        """Certificate and key, in PEM, of a server reachable by these names and addresses."""
        alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        return self._leaf(_name(name, ""), ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(alternatives))

    def _leaf(
        self, subject: x509.Name, purpose: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None
    ) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self.certificate.subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(authority, critical=False)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM), private_pem(key)


def ensure(folder: Path) -> None:
    """Fill `folder` with the lab's certificates, keys and tokens, unless it is there."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".pki-", dir=folder.parent))
    try:
        for name, content in _files().items():
            _write_private(unfinished / name, content)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """An unencrypted private key in PEM (PKCS 8)."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _files() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    authority = Authority.create("lab-ca")
    front_proxy = Authority.create("lab-front-proxy-ca")
    files["ca.crt"], files["ca.key"] = _authority_pem(authority)
    files["front-proxy-ca.crt"], _ = _authority_pem(front_proxy)
    files["front-proxy-client.crt"], files["front-proxy-client.key"] = front_proxy.client("front-proxy-client", "")
    for name in SERVERS:
        files[f"{name}.crt"], files[f"{name}.key"] = authority.server(name, names=NAMES, addresses=ADDRESSES)
    for name, (common_name, organisation) in CLIENTS.items():
        files[f"{name}.crt"], files[f"{name}.key"] = authority.client(common_name, organisation)
    files |= _service_account_keys() | _tokens()
    return files


def _authority_pem(authority: Authority) -> tuple[bytes, bytes]:
    return authority.certificate.public_bytes(serialization.Encoding.PEM), private_pem(authority.key)


def _service_account_keys() -> dict[str, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"service-accounts.key": private_pem(key), "service-accounts.pub": public}


def _tokens() -> dict[str, bytes]:
    tokens = {user: secrets.token_hex(16) for user in TOKEN_USERS}
    table = "".join(f"{token},{user},uid-{user}\n" for user, token in tokens.items())
    return {"tokens.csv": table.encode(), **{f"{user}.token": token.encode() for user, token in tokens.items()}}


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)


def _name(common_name: str, organisation: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
