"""Two namespaces, of one cluster or of two: what is only in one of them, and what differs in what both have."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.response.objects import mask_object
from cloud_native_mcp.services.kubernetes.comparison.fields import differing, portable
from cloud_native_mcp.services.kubernetes.describe.pod_template import images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline

USUAL_KINDS: Final = (
    *("deployments.apps", "statefulsets.apps", "daemonsets.apps", "cronjobs.batch", "jobs.batch", "pods", "services"),
    *("ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io", "configmaps", "secrets", "serviceaccounts"),
    *("persistentvolumeclaims", "horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy"),
    *("resourcequotas", "limitranges", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"),
)
MOST_OBJECTS: Final = 2_000
"""Of one kind in one namespace; more are not read."""
_PARALLEL: Final = 4
_FIELDS_SHOWN: Final = 6


class _TooManyError(Exception):
    """A kind has more objects than are compared."""


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace of a cluster."""

    client: KubernetesClient
    namespace: str

    @property
    def label(self) -> str:
        """``shop on prod``."""
        return f"{self.namespace} on {self.client.name}"


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows of what differs (kind, name, where, fields, images), how many are equal, and what could not be read."""

    rows: Sequence[tuple[str, str, str, str, str]]
    equal: int
    unread: Sequence[str]


async def compare(
    one: Place, other: Place, kinds: Sequence[str], *, digest: Callable[[bytes], str], deadline: Deadline
) -> Compared:
    """Compare the objects of these kinds by name; those that a controller made are left to what made them.

    Args:
        digest: stands for the values of Secrets, which tells that they differ and not what they are.
    """
    seats = asyncio.Semaphore(_PARALLEL)

    async def of_kind(kind: str) -> Compared:
        async with seats:
            try:
                found = await together(*(_objects(place, kind, digest, deadline) for place in (one, other)))
            except ToolError as error:
                return Compared((), 0, [f"{kind}: {error.code}: {error.text}"])
            except _TooManyError as error:
                return Compared((), 0, [f"{kind}: {error}"])
        return _judged(one, other, *found)

    parts = await together(*(of_kind(kind) for kind in kinds))
    rows = [row for part in parts for row in part.rows]
    return Compared(rows, sum(part.equal for part in parts), [line for part in parts for line in part.unread])


async def _objects(
    place: Place, kind: str, digest: Callable[[bytes], str], deadline: Deadline
) -> dict[str, Mapping[str, object]]:
    resource = await place.client.discovery.resolve(kind, deadline=deadline)
    found: dict[str, Mapping[str, object]] = {}
    query = ListQuery(place.namespace)
    async for page in list_pages(place.client, resource, query, item=dict[str, object], deadline=deadline):
        for obj in page.items:
            if not _has_controller(obj):
                whole = {"apiVersion": resource.group_version, "kind": resource.kind} | obj
                found[as_str(dig(obj, "metadata", "name"))] = as_dict(mask_object(portable(whole), digest))
        if len(found) > MOST_OBJECTS:
            raise _TooManyError(f"more than {MOST_OBJECTS:,} in {place.label}; these were not compared")
    return found


def _has_controller(obj: Mapping[str, object]) -> bool:
    return any(dig(owner, "controller") is True for owner in as_list(dig(obj, "metadata", "ownerReferences")))


def _judged(
    one: Place, other: Place, left: Mapping[str, Mapping[str, object]], right: Mapping[str, Mapping[str, object]]
) -> Compared:
    rows: list[tuple[str, str, str, str, str]] = []
    equal = 0
    for name in sorted({*left, *right}):
        present = left.get(name) or right.get(name) or {}
        kind = as_str(present.get("kind"))
        if name not in right:
            rows.append((kind, name, f"only in {one.label}", "", ""))
        elif name not in left:
            rows.append((kind, name, f"only in {other.label}", "", ""))
        elif paths := list(differing(left[name], right[name])):
            more = f" and {len(paths) - _FIELDS_SHOWN} more" if len(paths) > _FIELDS_SHOWN else ""
            shown = f"{', '.join(paths[:_FIELDS_SHOWN])}{more}"
            rows.append((kind, name, "differs", shown, _images(left[name], right[name])))
        else:
            equal += 1
    return Compared(rows, equal, ())


def _images(left: Mapping[str, object], right: Mapping[str, object]) -> str:
    """The images of both where they differ."""
    before, after = (images(_pod_spec(one)) for one in (left, right))
    return f"{', '.join(before)} → {', '.join(after)}" if before != after else ""


def _pod_spec(obj: Mapping[str, object]) -> dict[str, object]:
    for path in (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"), ("spec",)):
        spec = as_dict(dig(obj, *path))
        if "containers" in spec:
            return spec
    return {}
