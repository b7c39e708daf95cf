"""Clients and deadlines for the tests of the HTTP client."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.http import CertificateSource, Credentials, HttpTarget, TlsOptions
from cloud_native_mcp.upstream.pool import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from cloud_native_mcp.upstream.client import Client


@dataclass
class Observed:
    """Remembers the outcomes of all attempts."""

    outcomes: list[str] = field(default_factory=list[str])

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """Remember one attempt."""
        assert (service, target) == ("sample", "main")
        assert seconds >= 0
        self.outcomes.append(outcome)


def sample_target(
    url: str,
    *,
    credentials: Credentials | None = None,
    tls: TlsOptions | None = None,
    proxy: str | None = None,
    certificates: CertificateSource | None = None,
) -> HttpTarget:
    """The target ``main`` of the service ``sample``."""
    return HttpTarget(
        "sample",
        "main",
        url,
        credentials=credentials,
        tls=tls or TlsOptions(),
        proxy=proxy,
        certificates=certificates,
    )


@contextlib.asynccontextmanager
async def client_for(
    url: str,
    *,
    observer: Observed | None = None,
    credentials: Credentials | None = None,
    tls: TlsOptions | None = None,
    proxy: str | None = None,
    certificates: CertificateSource | None = None,
) -> AsyncGenerator[Client]:
    """A client with a pool of its own."""
    pool = Pool(observer)
    try:
        target = sample_target(url, credentials=credentials, tls=tls, proxy=proxy, certificates=certificates)
        yield pool.client(target)
    finally:
        await pool.close()


def soon(seconds: float = 5.0) -> Deadline:
    """A deadline a test never reaches, unless it says so."""
    return Deadline.after(seconds)
