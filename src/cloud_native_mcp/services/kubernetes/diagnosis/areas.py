"""The areas of a diagnosis: what each reads, and running them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.auditing.certificates import ISSUED, TLS
from cloud_native_mcp.services.kubernetes.auditing.ingresses import INGRESSES
from cloud_native_mcp.services.kubernetes.diagnosis.autoscaling import AUTOSCALERS, BUDGETS, autoscaling
from cloud_native_mcp.services.kubernetes.diagnosis.certificates import certificates
from cloud_native_mcp.services.kubernetes.diagnosis.control_plane import API_SERVICES, HOOKS, control_plane
from cloud_native_mcp.services.kubernetes.diagnosis.custom import custom
from cloud_native_mcp.services.kubernetes.diagnosis.endpoints import SERVICES, SLICES
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Area
from cloud_native_mcp.services.kubernetes.diagnosis.jobs import CRON_JOBS, JOBS, jobs
from cloud_native_mcp.services.kubernetes.diagnosis.network import network
from cloud_native_mcp.services.kubernetes.diagnosis.nodes import NODES, nodes
from cloud_native_mcp.services.kubernetes.diagnosis.pods import pods
from cloud_native_mcp.services.kubernetes.diagnosis.quotas import QUOTAS, quotas
from cloud_native_mcp.services.kubernetes.diagnosis.storage import CLAIMS, storage
from cloud_native_mcp.services.kubernetes.diagnosis.survey import EVENTS, PODS
from cloud_native_mcp.services.kubernetes.diagnosis.workloads import KINDS, workloads
from cloud_native_mcp.services.kubernetes.reading import FATAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
    from cloud_native_mcp.services.kubernetes.reading import Kind


@dataclass(frozen=True, slots=True)
class _AreaOf:
    """How an area is looked at, and which kinds it always reads."""

    look: Callable[[Survey], Awaitable[Sequence[Finding]]]
    kinds: Sequence[Kind[Any]]
    cluster: bool = False
    """It belongs to no namespace."""


AREAS: Final[Mapping[Area, _AreaOf]] = {
    "pods": _AreaOf(pods, (PODS, EVENTS)),
    "workloads": _AreaOf(workloads, (*KINDS, EVENTS)),
    "jobs": _AreaOf(jobs, (JOBS, CRON_JOBS, EVENTS)),
    "nodes": _AreaOf(nodes, (NODES, PODS), cluster=True),
    "storage": _AreaOf(storage, (CLAIMS, EVENTS)),
    "network": _AreaOf(network, (PODS, SERVICES, SLICES, INGRESSES, *KINDS)),
    "autoscaling": _AreaOf(autoscaling, (AUTOSCALERS, BUDGETS)),
    "quotas": _AreaOf(quotas, (QUOTAS,)),
    "control_plane": _AreaOf(control_plane, (SLICES, API_SERVICES, *HOOKS), cluster=True),
    "certificates": _AreaOf(certificates, (TLS, ISSUED, INGRESSES)),
    "custom": _AreaOf(custom, ()),
}
NAMES: Final[Sequence[Area]] = get_args(Area)


def of_cluster(area: Area) -> bool:
    """Whether an area belongs to no namespace."""
    return AREAS[area].cluster


async def look(survey: Survey, wanted: Collection[Area]) -> tuple[list[Finding], list[str]]:
    """What is wrong in each area, and a line for each that could not be looked at.

    Raises:
        ToolError: the cluster as a whole cannot be asked.
    """
    await survey.reader.prepare(kind for area in wanted for kind in AREAS[area].kinds)
    found: list[Finding] = []
    failed: list[str] = []
    for area in wanted:
        try:
            found += await AREAS[area].look(survey)
        except ToolError as error:
            if error.code in FATAL:
                raise
            failed.append(f"{area}: not checked: {error.code}: {error.text}")
            gaps = survey.reader.gaps
            gaps[:] = [gap for gap in gaps if not gap.startswith(f"{area}:")]
    return found, failed
