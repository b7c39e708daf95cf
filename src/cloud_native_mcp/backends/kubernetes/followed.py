"""A cluster of a kubeconfig whose changes are taken over while the server runs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.kubeconfig import load_kubeconfig
from cloud_native_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.http import HttpPool

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 1.0
"""How long the files are taken for unchanged."""

_Stamp = tuple[tuple[int, int, int] | None, ...]


class FollowedCluster:
    """The client of one context. A changed file is taken whole or not at all: until it can be used, the client stays.

    Which context is meant is settled at the start: another ``current-context`` must not turn a target, under its name,
    into another cluster. A client whose cluster, user and context are as before stays too, with the tokens it holds.

    Args:
        name: of the target, for the log.
        context: None for the current one.
        connect: makes the client.

    Raises:
        ConfigError: the files cannot be used.
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        context: str | None,
        *,
        http: HttpPool,
        connect: Callable[[ClusterAccess], KubernetesClient],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._paths = tuple(paths)
        self._http = http
        self._connect = connect
        self._clock = clock
        self._checked_at = clock()
        self._stamp = _stamp(self._paths)
        config = load_kubeconfig(self._paths)
        self._context = context or config.current_context
        self._client = connect(config.access(self._context, http=http))
        self._entries = config.entries(self._context)

    def client(self) -> KubernetesClient:
        """The client of the cluster as the files have it now."""
        now = self._clock()
        if now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            stamp = _stamp(self._paths)
            if stamp != self._stamp:
                self._stamp = stamp
                self._follow()
        return self._client

    def _follow(self) -> None:
        try:
            config = load_kubeconfig(self._paths)
            access = config.access(self._context, http=self._http)
        except ConfigError as error:
            logger.warning(
                "cluster %s: the changed kubeconfig is not used, the earlier one is kept: %s", self._name, error
            )
            return
        entries = config.entries(self._context)
        if entries != self._entries:
            self._client = self._connect(access)
            self._client.discovery.forget()
            self._entries = entries
            logger.info("cluster %s: the changed kubeconfig is used", self._name)


def _stamp(paths: Sequence[Path]) -> _Stamp:
    return tuple(_file_stamp(path) for path in paths)


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
