"""New Jobs: of a CronJob ahead of its time, or of a Job that has run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.owner_marks import without_owner
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.operations.subject import Performed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.operations.subject import Subject

_INSTANTIATED: Final = {"cronjob.kubernetes.io/instantiate": "manual"}
_OF_THE_CONTROLLER: Final = frozenset(
    {"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"}
)
"""Labels that tie a Job's pods to it; a copy gets its own."""
_OF_THE_FIRST_RUN: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "batch.kubernetes.io/job-tracking",
        "batch.kubernetes.io/cronjob-scheduled-timestamp",
    }
)
_NOT_COPIED: Final = frozenset({"selector", "manualSelector", "suspend"})


async def trigger(subject: Subject) -> Performed:
    """A Job of the CronJob's template now, marked and owned as kubectl does it."""
    template = as_dict(dig(subject.object, "spec", "jobTemplate"))
    owner = {
        "apiVersion": subject.resource.group_version,
        "kind": subject.resource.kind,
        "name": subject.name,
        "uid": as_str(dig(subject.object, "metadata", "uid")),
        "controller": True,
    }
    metadata = {
        "generateName": f"{subject.name}-manual-",
        "labels": as_dict(dig(template, "metadata", "labels")),
        "annotations": {**as_dict(dig(template, "metadata", "annotations")), **_INSTANTIATED},
        "ownerReferences": [owner],
    }
    return await _created(subject, metadata, as_dict(template.get("spec")))


async def rerun(subject: Subject) -> Performed:
    """A copy of the Job, without what the first run left on it; it runs even if the first was suspended.

    Marks of deployment tools are not copied: they would prune a Job that they do not know.
    """
    spec = {key: value for key, value in as_dict(subject.object.get("spec")).items() if key not in _NOT_COPIED}
    template = as_dict(spec.get("template"))
    spec["template"] = {**template, "metadata": _without_marks(as_dict(template.get("metadata")))}
    metadata = {
        part: without_owner(as_dict(marks))
        for part, marks in _without_marks(as_dict(subject.object.get("metadata"))).items()
    }
    return await _created(subject, {"generateName": f"{subject.name}-rerun-", **metadata}, spec)


def _without_marks(metadata: Mapping[str, object]) -> dict[str, object]:
    """Labels and annotations that say nothing of the run they were on."""
    return {
        "labels": {k: v for k, v in as_dict(metadata.get("labels")).items() if k not in _OF_THE_CONTROLLER},
        "annotations": {k: v for k, v in as_dict(metadata.get("annotations")).items() if k not in _OF_THE_FIRST_RUN},
    }


async def _created(subject: Subject, metadata: Mapping[str, object], spec: Mapping[str, object]) -> Performed:
    jobs = await subject.client.discovery.find("batch", "v1", "Job", deadline=subject.deadline)
    if jobs is None:
        raise ToolError("unsupported", f"cluster {subject.client.name} serves no Jobs")
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    written = await writes.create(
        subject.client, jobs, body, namespace=subject.namespace, dry_run=subject.dry_run, deadline=subject.deadline
    )
    name = as_str(dig(written.object, "metadata", "name"))
    made = "would create a Job named like" if subject.dry_run else "created Job"
    return Performed(written, jobs, {}, f"{made} {name}")
