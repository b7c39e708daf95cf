"""Secrets that the configuration refers to as ``k8s:NAMESPACE/NAME/KEY``, read with the server's own identity.

All are read before the services start and again every minute. What cannot be read again keeps its value: an API server
that is down, a Secret that was deleted, or a right that was taken away breaks nothing that runs.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cloud_native_mcp.backends.kubernetes.cluster_config import ClusterConfig, ClustersConfig
from cloud_native_mcp.backends.kubernetes.clusters import configured_clusters
from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.json_values import as_dict, as_str
from cloud_native_mcp.errors import ConfigError, Problem, ToolError
from cloud_native_mcp.secrets.cluster_reference import parse_cluster_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.clusters import Cluster
    from cloud_native_mcp.contract.service import ServiceContext

logger = logging.getLogger(__name__)

REFRESH_S: Final = 60.0
READ_S: Final = 10.0
_SECRETS: Final = Resource(group="", version="v1", kind="Secret", plural="secrets")


class SecretValues:
    """The values of the references, in memory (`contract.service.SecretReader`).

    Args:
        client: the cluster; asked for each time, so that a changed kubeconfig is followed.
        refresh_s: seconds between two readings.
    """

    def __init__(self, client: Callable[[], KubernetesClient], *, refresh_s: float = REFRESH_S) -> None:
        self._client = client
        self._refresh_s = refresh_s
        self._values: dict[str, str] = {}
        self._failing: dict[str, str] = {}
        self._refreshing: asyncio.Task[None] | None = None

    async def start(self, wanted: Mapping[str, str]) -> None:
        """Read all references once, and go on reading them.

        Args:
            wanted: the references by the setting that holds them.

        Raises:
            ConfigError: some cannot be read; every one is told by its setting.
        """
        problems: list[Problem] = []
        for setting, reference in wanted.items():
            try:
                self._values[reference] = await self._fetched(reference)
            except _Unreadable as error:
                problems.append(Problem(setting, f"{reference}: {error}"))
        if problems:
            raise ConfigError(problems)
        if self._values:
            self._refreshing = asyncio.create_task(self._refresh())

    def read(self, reference: str) -> str:
        """The value as it was read last.

        Raises:
            ConfigError: the reference was not among those wanted at the start.
        """
        value = self._values.get(reference)
        if value is None:
            raise ConfigError([Problem(reference, "was not read at the start")])
        return value

    async def refresh(self) -> None:
        """Read all references again now; what cannot be read keeps its value."""
        for reference, known in list(self._values.items()):
            try:
                value = await self._fetched(reference)
            except _Unreadable as error:
                if self._failing.get(reference) != str(error):
                    self._failing[reference] = str(error)
                    logger.warning("secret %s: %s; the value read before stays in use", reference, error)
                continue
            self._failing.pop(reference, None)
            if value != known:
                self._values[reference] = value
                logger.info("secret %s: the new value is in use", reference)

    async def close(self) -> None:
        """End the readings."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refreshing

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_s)
            await self.refresh()

    async def _fetched(self, reference: str) -> str:
        """The value now.

        Raises:
            _Unreadable: with the reason, and nothing of the Secret.
        """
        where = parse_cluster_reference(reference)
        try:
            found = await self._client().get(
                _SECRETS, where.name, namespace=where.namespace, deadline=Deadline.after(READ_S)
            )
        except ConfigError as error:
            raise _Unreadable(f"there is no cluster to read it from ({error})") from None
        except ToolError as error:
            raise _Unreadable(error.text) from None
        data = as_dict(found.get("data"))
        if where.key not in data:
            raise _Unreadable(f"the Secret has no key {where.key}")
        return _text(as_str(data[where.key]))


def own_cluster(context: ServiceContext[Any]) -> Cluster:
    """The cluster that references mean: the default target of the Kubernetes section, else what this machine knows.

    The fence of that target is for what callers reach, not for what the operator refers to.

    Raises:
        ConfigError: there is none.
    """
    config: object = context.config
    targets: dict[str, ClusterConfig] = {}
    if isinstance(config, ClustersConfig) and config.targets:
        name = config.default_target or next(iter(config.targets))
        one = config.targets[name]
        targets[name] = ClusterConfig(kubeconfig=one.kubeconfig, context=one.context, in_cluster=one.in_cluster)
    found = configured_clusters(replace(context, config=ClustersConfig(targets=targets)))
    return next(iter(found.values()))


class _Unreadable(Exception):
    """Why a value cannot be had."""


def _text(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode().rstrip("\r\n")
    except (binascii.Error, UnicodeDecodeError):
        raise _Unreadable("it is not UTF-8 text") from None
    if not text:
        raise _Unreadable("it is empty")
    return text
