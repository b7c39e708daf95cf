"""Use of quotas, and the ranges that limit single objects.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/, https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.response.table import lines_of
from cloud_native_mcp.services.kubernetes.quantities import parse_quantity, show_share
from cloud_native_mcp.services.kubernetes.resource_use.rows import NEAR, Row, View, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Cell

FULLNESS: Final = "fullness"
_RANGE_PARTS: Final = ("min", "max", "defaultRequest", "default")


class _QuotaStatus(msgspec.Struct, gc=False):
    hard: dict[str, object] | None = None
    used: dict[str, object] | None = None


class _Quota(msgspec.Struct, gc=False):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _QuotaStatus = msgspec.field(default_factory=_QuotaStatus)


class _RangeSpec(msgspec.Struct, gc=False):
    limits: list[dict[str, object]] | None = None


class _Range(msgspec.Struct, gc=False):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _RangeSpec = msgspec.field(default_factory=_RangeSpec)


async def quotas_view(client: KubernetesClient, query: ListQuery, *, deadline: Deadline) -> View:
    """A row for each resource of each quota, the fullest first, and the limit ranges of the same namespaces."""
    resource = await client.discovery.find("", "v1", "ResourceQuota", deadline=deadline)
    if resource is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no quotas")
    rows: list[Row] = []
    async for page in list_pages(client, resource, query, item=_Quota, deadline=deadline):
        for quota in page.items:
            rows += _rows(quota)
    ranges, partial = await _ranges(client, query, deadline)
    columns = ("NAMESPACE", "QUOTA", "RESOURCE", "USED", "HARD", "USED/HARD")
    return View(columns, rows, (FULLNESS,), frozenset({"near_limit", "idle"}), partial=partial, more=ranges)


def _rows(quota: _Quota) -> list[Row]:
    hard, used = quota.status.hard or {}, quota.status.used or {}
    return [_row(quota.metadata, name, used.get(name), bound) for name, bound in hard.items()]


def _row(meta: ObjectMeta, resource: str, used: object, bound: object) -> Row:
    part, whole = parse_quantity(used), parse_quantity(bound)
    full = share(part, whole)
    cells = (meta.namespace, meta.name, resource, _text(used), _text(bound), show_share(part, whole))
    fits = {"near_limit"} if full is not None and full >= NEAR else {"idle"} if not part else set[str]()
    return Row(meta.name, lambda: cells, {FULLNESS: full}, frozenset(fits))


async def _ranges(client: KubernetesClient, query: ListQuery, deadline: Deadline) -> tuple[list[Text], list[str]]:
    """Limit ranges, a row for each resource they bound; why they are missing."""
    resource = await client.discovery.find("", "v1", "LimitRange", deadline=deadline)
    if resource is None:
        return [], []
    rows: list[list[Cell]] = []
    try:
        async for page in list_pages(client, resource, query, item=_Range, deadline=deadline):
            for found in page.items:
                rows += [row for limit in found.spec.limits or () for row in _range_rows(found.metadata, limit)]
    except ToolError as error:
        return [], [f"limitranges: {error.code}: {error.text}"]
    columns = ("NAMESPACE", "LIMITRANGE", "TYPE", "RESOURCE", "MIN", "MAX", "DEFAULT REQ", "DEFAULT LIM")
    return ([Text("\n".join(lines_of(columns, rows)), title="Limit ranges")] if rows else []), []


def _range_rows(meta: ObjectMeta, limit: Mapping[str, object]) -> list[list[Cell]]:
    parts = {part: as_dict(limit.get(part)) for part in _RANGE_PARTS}
    resources = dict.fromkeys(name for values in parts.values() for name in values)
    return [
        [
            meta.namespace,
            meta.name,
            _text(limit.get("type")),
            name,
            *(_text(parts[part].get(name)) for part in _RANGE_PARTS),
        ]
        for name in resources
    ]


def _text(value: object) -> str:
    return "" if value is None else str(value)
