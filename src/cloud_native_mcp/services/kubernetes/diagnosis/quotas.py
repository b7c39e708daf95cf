"""Quotas that are used up.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, tool_call
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried
from cloud_native_mcp.services.kubernetes.resource_use.rows import NEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey


class _Status(msgspec.Struct, gc=False):
    hard: dict[str, object] | None = None
    used: dict[str, object] | None = None


class Quota(msgspec.Struct, gc=False):
    """A ResourceQuota."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _Status = msgspec.field(default_factory=_Status)


QUOTAS: Final = Kind("", "ResourceQuota", Quota)


async def quotas(survey: Survey) -> list[Finding]:
    """Quotas of which something is used up (a warning) or nearly so."""
    found: list[Finding] = []
    async for quota in unhurried(await survey.reader.objects(QUOTAS)):
        found += _of_quota(quota)
    return found


def _of_quota(quota: Quota) -> Iterator[Finding]:
    ref = Ref("ResourceQuota", quota.metadata.namespace, quota.metadata.name)
    full, near = list[str](), list[str]()
    for name, hard in (quota.status.hard or {}).items():
        given, taken = (quota.status.used or {}).get(name), parse_quantity((quota.status.used or {}).get(name))
        most = parse_quantity(hard)
        if most and taken is not None and taken >= NEAR * most:
            (full if taken >= most else near).append(f"{name} {given} of {hard}")
    call = tool_call("top", by="quotas", namespace=ref.namespace)
    if full:
        cause = "used up, so that new objects that need it are refused"
        yield Finding("warning", "quota_full", ref, cause, f"status.used: {', '.join(full)}", call)
    if near:
        yield Finding("info", "quota_near", ref, "nearly used up", f"status.used: {', '.join(near)}", call)
