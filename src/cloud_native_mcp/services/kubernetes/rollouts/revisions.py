"""The revisions a workload holds: ReplicaSets of a Deployment, ControllerRevisions of the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, selector_text
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.describe.pod_template import images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline

REVISION: Final = "deployment.kubernetes.io/revision"
ROLLOUT_REVISION: Final = "rollout.argoproj.io/revision"
CHANGE_CAUSE: Final = "kubernetes.io/change-cause"
MOST_HELD: Final = 500


@dataclass(frozen=True, slots=True)
class Revision:
    """One held revision: its number, the object that holds it, and the pod template (and annotations) of then."""

    number: int
    name: str
    created: str
    replicas: str
    cause: str
    template: Mapping[str, object]
    current: bool = False
    annotations: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def images(self) -> list[str]:
        """The images of the template."""
        return images(as_dict(self.template.get("spec")))


async def revisions_of(
    client: KubernetesClient, resource: Resource, obj: Mapping[str, object], *, deadline: Deadline
) -> list[Revision]:
    """The revisions of a workload, oldest first."""
    if resource.kind in ("Deployment", "Rollout"):
        return await _replica_sets(client, resource, obj, deadline)
    return await _controller_revisions(client, obj, deadline)


async def _replica_sets(
    client: KubernetesClient, resource: Resource, obj: Mapping[str, object], deadline: Deadline
) -> list[Revision]:
    key = REVISION if resource.kind == "Deployment" else ROLLOUT_REVISION
    held = await _owned(client, "apps", "ReplicaSet", obj, deadline)
    current = as_str(dig(obj, "metadata", "annotations", key))
    found: list[Revision] = []
    for one in held:
        annotations = as_dict(dig(one, "metadata", "annotations"))
        number = as_str(annotations.get(key))
        if not number.isdigit():
            continue
        template = as_dict(dig(one, "spec", "template"))
        ready, wanted = as_int(dig(one, "status", "readyReplicas")), as_int(dig(one, "spec", "replicas"))
        found.append(
            Revision(
                number=int(number),
                name=as_str(dig(one, "metadata", "name")),
                created=as_str(dig(one, "metadata", "creationTimestamp")),
                replicas=f"{ready}/{wanted}",
                cause=as_str(annotations.get(CHANGE_CAUSE)),
                template=_without_hash(template),
                current=number == current,
                annotations=annotations,
            )
        )
    return sorted(found, key=lambda revision: revision.number)


async def _controller_revisions(
    client: KubernetesClient, obj: Mapping[str, object], deadline: Deadline
) -> list[Revision]:
    held = await _owned(client, "apps", "ControllerRevision", obj, deadline)
    found = [
        Revision(
            number=as_int(one.get("revision")),
            name=as_str(dig(one, "metadata", "name")),
            created=as_str(dig(one, "metadata", "creationTimestamp")),
            replicas="-",
            cause=as_str(dig(one, "metadata", "annotations", CHANGE_CAUSE)),
            template={k: v for k, v in as_dict(dig(one, "data", "spec", "template")).items() if k != "$patch"},
        )
        for one in held
    ]
    found.sort(key=lambda revision: revision.number)
    current = as_str(dig(obj, "status", "updateRevision")) or (found[-1].name if found else "")
    return [replace(one, current=one.name == current) for one in found]


async def _owned(
    client: KubernetesClient, group: str, kind: str, obj: Mapping[str, object], deadline: Deadline
) -> Sequence[dict[str, object]]:
    """Objects of a kind that the workload's selector finds and whose owner it is."""
    resource = await client.discovery.find(group, "", kind, deadline=deadline)
    if resource is None:
        raise ToolError("unsupported", f"cluster {client.name} serves no {kind}")
    selector = selector_text(msgspec.convert(as_dict(dig(obj, "spec", "selector")), LabelSelector))
    query = ListQuery(as_str(dig(obj, "metadata", "namespace")), selector, limit=MOST_HELD)
    page = await list_page(client, resource, query, item=dict[str, object], deadline=deadline)
    uid = dig(obj, "metadata", "uid")
    return [
        one for one in page.items if any(dig(o, "uid") == uid for o in as_list(dig(one, "metadata", "ownerReferences")))
    ]


def _without_hash(template: Mapping[str, object]) -> dict[str, object]:
    """The template without the label that the controller adds to tell ReplicaSets apart."""
    metadata = as_dict(template.get("metadata"))
    labels = {k: v for k, v in as_dict(metadata.get("labels")).items() if k != "pod-template-hash"}
    return {**template, "metadata": {**metadata, "labels": labels}}
