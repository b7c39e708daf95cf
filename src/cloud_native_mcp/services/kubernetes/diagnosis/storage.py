"""Claims without a volume, volumes that failed, and volumes that are full.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Condition, moment
from cloud_native_mcp.services.kubernetes.diagnosis.survey import PODS, event_text
from cloud_native_mcp.services.kubernetes.reading import FATAL, Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried
from cloud_native_mcp.services.kubernetes.resource_use.rows import NEAR, share
from cloud_native_mcp.services.kubernetes.resource_use.summaries import summaries_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
    from cloud_native_mcp.services.kubernetes.event_records import EventRecord
    from cloud_native_mcp.services.kubernetes.resource_use.summaries import Summary, VolumeStats

MOST_NODES: Final = 20
"""Nodes whose kubelets are asked how full their volumes are."""
FULL: Final = 0.98
_LATE_BINDING: Final = "WaitForFirstConsumer"
_NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"


class _ClaimSpec(msgspec.Struct, gc=False, rename="camel"):
    storage_class_name: str | None = None
    volume_name: str = ""


class _ClaimStatus(msgspec.Struct, gc=False):
    phase: str = ""
    conditions: list[Condition] | None = None


class Claim(msgspec.Struct, gc=False):
    """A claim for a volume."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _ClaimSpec = msgspec.field(default_factory=_ClaimSpec)
    status: _ClaimStatus = msgspec.field(default_factory=_ClaimStatus)


class _VolumeStatus(msgspec.Struct, gc=False):
    phase: str = ""
    message: str = ""


class PersistentVolume(msgspec.Struct, gc=False):
    """A volume."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _VolumeStatus = msgspec.field(default_factory=_VolumeStatus)


class StorageClass(msgspec.Struct, gc=False, rename="camel"):
    """A class of volumes."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    provisioner: str = ""
    volume_binding_mode: str = ""


CLAIMS: Final = Kind("", "PersistentVolumeClaim", Claim)
VOLUMES: Final = Kind("", "PersistentVolume", PersistentVolume)
CLASSES: Final = Kind("storage.k8s.io", "StorageClass", StorageClass)


async def storage(survey: Survey) -> list[Finding]:
    """Claims that wait, lost their volume or cannot grow; volumes that failed or are left over."""
    events = await survey.events("storage")
    claims = await survey.reader.objects(CLAIMS)
    waiting = [one for one in claims if one.status.phase == "Pending"]
    classes = await survey.reader.either(CLASSES, "storage") if waiting else ()
    users = await _users(survey) if waiting else dict[tuple[str, str], int]()
    found: list[Finding] = []
    async for claim in unhurried(claims):
        ref = Ref("PersistentVolumeClaim", claim.metadata.namespace, claim.metadata.name)
        if claim.status.phase == "Pending":
            some = events.get(claim.metadata.uid, ())
            found.append(_pending(ref, claim, some, classes, users.get((ref.namespace, ref.name), 0)))
        else:
            found += _bound(ref, claim)
    if survey.whole_cluster:
        for volume in await survey.reader.optional(VOLUMES, "storage"):
            found += _of_volume(volume)
    return found


async def full_volumes(survey: Survey, claims: frozenset[tuple[str, str]] | None = None) -> list[Finding]:
    """Mounted claims that are nearly full, as the kubelets of at most `MOST_NODES` nodes tell.

    Args:
        claims: only these, by namespace and name.
    """
    at: dict[str, None] = {}
    for pod in await survey.reader.objects(PODS):
        named = {(pod.metadata.namespace, claim) for claim in pod.claims}
        if pod.spec.node_name and named and (claims is None or named & claims):
            at[pod.spec.node_name] = None
    client = survey.reader.client
    nodes = await client.discovery.find("", "v1", "Node", deadline=survey.reader.deadline)
    if nodes is None or not at:
        return []
    if len(at) > MOST_NODES:
        survey.reader.notes.append(f"volumes of {MOST_NODES} of {len(at)} nodes were looked at; narrow by namespace")
    try:
        summaries = await summaries_of(client, nodes, sorted(at)[:MOST_NODES], deadline=survey.reader.deadline)
    except ToolError as error:
        if error.code in FATAL:
            raise
        survey.reader.gap("storage", error)
        return []
    survey.reader.gaps += [f"storage: in part: {line}" for line in summaries.failed]
    full = [one for _, summary in summaries.found for one in _nearly_full(summary)]
    mine = [one for one in full if survey.reader.shown(one.object.namespace)]
    return [one for one in mine if claims is None or (one.object.namespace, one.object.name) in claims]


def _nearly_full(summary: Summary) -> Iterator[Finding]:
    for pod in summary.pods or ():
        for volume in pod.volume or ():
            if volume.pvc_ref is not None and (found := _fullness(volume)):
                name, used = found
                ref = Ref("PersistentVolumeClaim", volume.pvc_ref.namespace, volume.pvc_ref.name)
                evidence = f"stats/summary: {name} {used:.0%} used"
                call = tool_call("top", by="volumes", namespace=ref.namespace)
                cause = f"{used:.0%} of its {name} are used, by pod {pod.pod_ref.name}"
                yield Finding("critical" if used >= FULL else "warning", "volume_full", ref, cause, evidence, call)


def _fullness(volume: VolumeStats) -> tuple[str, float] | None:
    shares = {
        "space": share(volume.used_bytes, volume.capacity_bytes),
        "inodes": share(volume.inodes_used, volume.inodes),
    }
    full = {name: used for name, used in shares.items() if used is not None and used >= NEAR}
    return max(full.items(), key=lambda one: one[1]) if full else None


async def _users(survey: Survey) -> Mapping[tuple[str, str], int]:
    """How many pods mount each claim."""
    found: dict[tuple[str, str], int] = {}
    async for pod in unhurried(await survey.reader.optional(PODS, "storage")):
        for claim in pod.claims:
            key = (pod.metadata.namespace, claim)
            found[key] = found.get(key, 0) + 1
    return found


def _pending(
    ref: Ref, claim: Claim, events: Sequence[EventRecord], classes: Sequence[StorageClass] | None, users: int
) -> Finding:
    """A claim without a volume. One that waits for its first pod is no trouble."""
    cause = _why_pending(claim, classes)
    evidence = f"status.phase: Pending, spec.storageClassName: {claim.spec.storage_class_name or '-'}"
    late = cause is None
    failed = next((one for one in events if one.reason in {"ProvisioningFailed", "FailedBinding"}), None)
    if failed is not None:
        evidence = event_text(failed)
        late = late and failed.reason == "FailedBinding"
    severity = "critical" if users else "warning"
    if late and not users:
        severity = "info"
    call = tool_call("events", kind="pvc", name=ref.name, namespace=ref.namespace)
    words = f"{cause or 'its volume is made when a pod that uses it is placed'}; pods that wait for it: {users}"
    since = moment(claim.metadata.creation_timestamp)
    return Finding(severity, "pvc_pending", ref, words, evidence, call, since, max(users, 1))


def _why_pending(claim: Claim, classes: Sequence[StorageClass] | None) -> str | None:
    """Why a claim has no volume; None when its class waits for a pod."""
    name = claim.spec.storage_class_name
    if claim.spec.volume_name:
        return f"volume {claim.spec.volume_name} that it names is not there, or not free for it"
    if classes is None:
        return "no volume is bound to it"
    if name is None and not any(one.metadata.annotations.get(_DEFAULT) == "true" for one in classes):
        return "it names no storage class, and the cluster has no default one"
    if not name:
        return "it names no storage class, and no free volume fits it"
    known = next((one for one in classes if one.metadata.name == name), None)
    if known is None:
        return f"storage class {name} does not exist"
    if known.volume_binding_mode == _LATE_BINDING:
        return None
    if known.provisioner == _NO_PROVISIONER:
        return f"storage class {name} makes no volumes by itself, and no free volume fits"
    return f"provisioner {known.provisioner} has made no volume"


def _bound(ref: Ref, claim: Claim) -> Iterator[Finding]:
    if claim.status.phase == "Lost":
        cause = f"its volume {claim.spec.volume_name} is gone"
        yield Finding("critical", "pvc_lost", ref, cause, "status.phase: Lost", look_at(ref, kind="pvc"))
    for one in claim.status.conditions or ():
        if one.type in {"ControllerResizeError", "NodeResizeError"} and one.status == "True":
            evidence = f"status.conditions[{one.type}]: {one.message}"
            cause = "its volume cannot be made larger"
            yield Finding("warning", "resize_failed", ref, cause, evidence, look_at(ref, kind="pvc"), one.since)


def _of_volume(volume: PersistentVolume) -> Iterator[Finding]:
    ref = Ref("PersistentVolume", "", volume.metadata.name)
    evidence = f"status.phase: {volume.status.phase} {volume.status.message}".strip()
    if volume.status.phase == "Failed":
        yield Finding("warning", "volume_failed", ref, "it could not be reclaimed", evidence, look_at(ref, kind="pv"))
    elif volume.status.phase == "Released":
        cause = "its claim is gone, its storage is kept"
        yield Finding("info", "volume_released", ref, cause, evidence, look_at(ref, kind="pv"))
