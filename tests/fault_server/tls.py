"""TLS contexts of the fault server, right and wrong ones, from a CA of its own."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """A certificate authority for one test."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    @property
    def pem(self) -> bytes:
        """The CA's certificate."""
        return self._ca.cert_pem.bytes()

    def write(self, path: Path) -> Path:
        """Put the CA's certificate into a file."""
        path.write_bytes(self.pem)
        return path

    def trust(self, context: ssl.SSLContext) -> None:
        """Let the context trust this authority."""
        self._ca.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]

    def server(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for the names (default: localhost)."""
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        begun = datetime.now(UTC) - timedelta(days=2) if expired else None
        issued = self._ca.issue_cert(*(names or ("localhost",)), not_after=until, not_before=begun)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issued.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
        return context

    def server_asking_for_clients(self, clients: Authority) -> ssl.SSLContext:
        """A server's context that takes only clients of the other authority."""
        context = self.server()
        # In TLS 1.3 the refusal comes after the handshake, and Python's own server drops it on the floor.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        clients.trust(context)
        return context

    def client(self, name: str = "client@example.org") -> tuple[bytes, bytes]:
        """A client certificate and its key, as PEM."""
        issued = self._ca.issue_cert(name)
        return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
