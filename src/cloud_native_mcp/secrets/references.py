"""Resolves references to secrets: ``env:NAME``, ``file:/path``, ``k8s:NAMESPACE/NAME/KEY``, or the value itself."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ConfigError, Problem
from cloud_native_mcp.secrets.cluster_reference import CLUSTER, parse_cluster_reference
from cloud_native_mcp.secrets.whole_file import read_whole, stamp_of, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.contract.service import SecretReader
    from cloud_native_mcp.secrets.whole_file import Stamp

logger = logging.getLogger(__name__)

ENVIRONMENT: Final = "env:"
FILE: Final = "file:"
SETTLE_S: Final = 1.0
"""How long a file that changed must lie still before its new content counts: who writes in place may pause halfway."""


class SecretStore:
    """Reads secrets (`contract.service.SecretReader`).

    A file is read again when it changed and lay still for `SETTLE_S`. While it is missing, empty, unreadable or being
    written, the last whole value stays in use, so that a rotation in progress breaks nothing; both are logged.

    Args:
        environ: where ``env:`` references look; the process's own environment by default.
        clock: seconds since 1970, to tell how long a file has lain still.
        cluster: reads ``k8s:`` references.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        cluster: SecretReader | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._clock = clock
        self._cluster = cluster
        self._files: dict[str, tuple[Stamp, str]] = {}
        self._told: set[str] = set()

    def read(self, reference: str) -> str:
        """The secret now, without the line end that editors leave behind.

        Raises:
            ConfigError: the variable or file is missing, empty or not text. The value itself is never in the text.
        """
        if reference.startswith(ENVIRONMENT):
            return self._read_variable(reference)
        if reference.startswith(FILE):
            return self._read_file(reference)
        if reference.startswith(CLUSTER):
            return self._read_from_cluster(reference)
        if not reference:
            raise _unusable("secret", "is empty")
        return reference

    def _read_variable(self, reference: str) -> str:
        name = reference.removeprefix(ENVIRONMENT)
        value = self._environ.get(name)
        if not value:
            raise _unusable(reference, "the environment variable is not set" if value is None else "it is empty")
        return value

    def _read_from_cluster(self, reference: str) -> str:
        parse_cluster_reference(reference)
        if self._cluster is None:
            raise _unusable(reference, "k8s: is read when the services start; this is needed before: use env: or file:")
        return self._cluster.read(reference)

    def _read_file(self, reference: str) -> str:
        path = Path(reference.removeprefix(FILE)).expanduser()
        kept = self._files.get(reference)
        try:
            stamp = stamp_of(path)
            if kept is not None and (kept[0] == stamp or self._moves(stamp)):
                return kept[1]
            text = read_whole(path, stamp).rstrip("\r\n")
        except (OSError, ValueError) as error:
            if kept is None:
                raise _unusable(reference, why_unreadable(error)) from None
            self._tell_once(reference, why_unreadable(error))
            return kept[1]
        if kept is not None and kept[1] != text:
            logger.info("secret %s: the new value is in use", reference)
        self._told.discard(reference)
        self._files[reference] = (stamp, text)
        return text

    def _moves(self, stamp: Stamp) -> bool:
        """Whether the file changed so lately that its writer may not be done."""
        return 0 <= self._clock() - stamp[0] / 1e9 < SETTLE_S

    def _tell_once(self, reference: str, why: str) -> None:
        if reference not in self._told:
            self._told.add(reference)
            logger.warning("secret %s: %s; the value read before stays in use", reference, why)


def _unusable(reference: str, why: str) -> ConfigError:
    return ConfigError([Problem(reference, why)])
