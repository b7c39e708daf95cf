"""Request headers that authenticate the server to a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.contract.service import SecretReader
    from cloud_native_mcp.services.prometheus.config import PrometheusTarget


class TargetCredentials:
    """Headers of one target. Secrets are read for each request, so a rotated file is used at once."""

    __slots__ = ("_config", "_last", "_secrets")

    def __init__(self, config: PrometheusTarget, secrets: SecretReader) -> None:
        self._config = config
        self._secrets = secrets
        self._last = self.read()

    def read(self) -> dict[str, str]:
        """The headers now.

        Raises:
            ConfigError: a secret is missing.
        """
        headers = {name: self._secrets.read(reference) for name, reference in self._config.headers.items()}
        if (authorization := self._config.auth.header(self._secrets)) is not None:
            headers["Authorization"] = authorization
        return headers

    async def headers(self) -> Mapping[str, str]:
        """Headers for the next request."""
        self._last = self.read()
        return self._last

    async def refresh(self) -> bool:
        """Whether the secrets differ from those last sent, so that a retry after a 401 makes sense."""
        before = self._last
        self._last = self.read()
        return self._last != before
