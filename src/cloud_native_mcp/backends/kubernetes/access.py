"""How to reach one cluster and who to be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.http import CertificateSource, Credentials, TlsOptions

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One cluster as the server's own configuration describes it; callers never make one.

    ``namespace`` is the one that requests without a namespace mean; ``context`` names where all this came from.
    """

    server: str
    namespace: str = "default"
    context: str = ""
    tls: TlsOptions = field(default_factory=TlsOptions)
    proxy: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)
    certificates: CertificateSource | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
