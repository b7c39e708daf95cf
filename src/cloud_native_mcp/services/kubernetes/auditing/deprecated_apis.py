"""Use of API versions that go away, or are gone.

Source: https://kubernetes.io/docs/reference/using-api/deprecation-guide/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.ingresses import INGRESSES
from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import ManagedMeta
from cloud_native_mcp.services.kubernetes.auditing.reliability import BUDGETS
from cloud_native_mcp.services.kubernetes.auditing.workloads import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    STATEFUL_SETS,
)
from cloud_native_mcp.services.kubernetes.reading import FATAL, Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.services.kubernetes.reading import Reader
    from cloud_native_mcp.services.kubernetes.severity import Severity

SERIES: Final = "apiserver_requested_deprecated_apis"
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_MOST_BYTES: Final = 64_000_000


class Authored(Protocol):
    """An object that tells who wrote it."""

    @property
    def metadata(self) -> ManagedMeta:
        """Its metadata."""
        ...


class Scaler(msgspec.Struct, gc=False):
    """A HorizontalPodAutoscaler, as far as who wrote it."""

    metadata: ManagedMeta = msgspec.field(default_factory=ManagedMeta)


SCALERS: Final = Kind("autoscaling", "HorizontalPodAutoscaler", Scaler)
_KINDS: Final[Sequence[Kind[Authored]]] = (
    DEPLOYMENTS,
    STATEFUL_SETS,
    DAEMON_SETS,
    CRON_JOBS,
    SCALERS,
    INGRESSES,
    BUDGETS,
)


async def deprecated_apis(reader: Reader) -> list[Finding]:
    """Requests for deprecated versions since the API server started, and objects written in versions that are gone.

    Raises:
        ToolError: neither requests nor any kind may be read.
    """
    found: list[Finding] = []
    errors: list[ToolError] = []
    if reader.namespace is None:
        try:
            found += await _requested(reader)
        except ToolError as error:
            errors.append(error)
    else:
        reader.notes.append("deprecated_apis: requests are counted for the whole cluster; leave out namespace for them")
    for kind in _KINDS:
        try:
            async for item in unhurried(await reader.objects(kind)):
                found += await written(reader, kind.kind, item.metadata)
        except ToolError as error:
            errors.append(error)
    if len(errors) == len(_KINDS) + (reader.namespace is None):
        raise errors[0]
    for error in errors:
        if error.code in FATAL:
            raise error
        reader.gap("deprecated_apis", error)
    return found


async def _requested(reader: Reader) -> list[Finding]:
    """The series of the API server that answers; others behind the same address count for themselves."""
    found: list[Finding] = []
    rest = b""
    what = "get /metrics"
    async with reader.client.stream("/metrics", what=what, deadline=reader.deadline, max_bytes=_MOST_BYTES) as parts:
        async for part in parts:
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.startswith(SERIES.encode()):
                    found += _of_series(line.decode(errors="replace"))
    return found


def _of_series(line: str) -> Iterator[Finding]:
    if line.rpartition(" ")[2].strip() == "0":
        return
    labels = dict(_LABEL.findall(line))
    group, version, resource = (labels.get(name, "") for name in ("group", "version", "resource"))
    removed = labels.get("removed_release", "")
    where = f"{f'{group}/' if group else ''}{version} {resource}"
    severity: Severity = "warning" if removed else "info"
    why = "asked for since the API server started" + (f"; gone in Kubernetes {removed}" if removed else "; deprecated")
    yield Finding(severity, "deprecated_apis", "requested", where, why, "find the client in audit logs, and update it")


async def written(reader: Reader, kind: str, meta: ManagedMeta) -> list[Finding]:
    """The versions that an object was written in and that the cluster has no more."""
    found: list[Finding] = []
    for one in meta.managed_fields or ():
        group, _, version = one.api_version.rpartition("/")
        if one.api_version and not await reader.serves(group, kind, version):
            where = named(kind, meta.namespace, meta.name)
            why = f"{one.manager} wrote it as {one.api_version}, which is not served any more"
            fix = "update the manifest or the client"
            found.append(Finding("warning", "deprecated_apis", "written", where, why, fix))
    return found
