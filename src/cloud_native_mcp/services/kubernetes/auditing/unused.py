"""Objects that nothing uses, as far as the API tells: a program may still read them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta, PartialObject
from cloud_native_mcp.contract.json_values import as_str
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.ingresses import INGRESSES
from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import Json  # noqa: TC001 - read when structs are decoded
from cloud_native_mcp.services.kubernetes.auditing.references import CLAIM, CONFIG_MAP, SECRET, references
from cloud_native_mcp.services.kubernetes.auditing.secrets import CONFIG_MAPS
from cloud_native_mcp.services.kubernetes.auditing.workloads import workloads
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload
    from cloud_native_mcp.services.kubernetes.reading import Reader

_GIVEN: Final = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})
Used = set[tuple[str, str, str]]
"""Kind, namespace and name."""


class Account(msgspec.Struct, gc=False, rename="camel"):
    """A service account with the Secrets it names."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    image_pull_secrets: list[Json] | None = None
    secrets: list[Json] | None = None


class _VolumeStatus(msgspec.Struct, gc=False):
    phase: str = ""


class Volume(msgspec.Struct, gc=False):
    """A persistent volume."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _VolumeStatus = msgspec.field(default_factory=_VolumeStatus)


ACCOUNTS: Final = Kind("", "ServiceAccount", Account)
CLAIMS: Final = Kind("", "PersistentVolumeClaim", PartialObject)
VOLUMES: Final = Kind("", "PersistentVolume", Volume)
_OPAQUE: Final = tuple(
    Kind("", "Secret", PartialObject, field_selector=f"type={kind}") for kind in ("Opaque", "kubernetes.io/tls")
)


async def unused(reader: Reader) -> list[Finding]:
    """ConfigMaps, Secrets, claims and accounts that no workload names, and volumes that were given back."""
    used: Used = set()
    running = await workloads(reader)
    async for workload in unhurried(running):
        used |= _named_by(workload)
    accounts = await reader.objects(ACCOUNTS)
    for account in accounts:
        for one in (*(account.image_pull_secrets or ()), *(account.secrets or ())):
            used.add((SECRET, account.metadata.namespace, as_str(one.get("name"))))
    for ingress in await reader.optional(INGRESSES, "unused"):
        used |= {(SECRET, ingress.metadata.namespace, name) for name in ingress.secrets}
    found = list(_not_in(used, CONFIG_MAP, [one.metadata for one in await reader.optional(CONFIG_MAPS, "unused")]))
    for kind in _OPAQUE:
        found += _not_in(used, SECRET, [one.metadata for one in await reader.optional(kind, "unused")])
    found += _not_in(used, "ServiceAccount", [one.metadata for one in accounts if one.metadata.name != "default"])
    claims = [one.metadata for one in await reader.optional(CLAIMS, "unused")]
    found += _not_in(used, CLAIM, [one for one in claims if not _of_template(one, running)])
    if reader.namespace is None:
        found += _released(await reader.optional(VOLUMES, "unused"))
    return found


def _named_by(workload: Workload) -> Used:
    used = {(one.kind, workload.namespace, one.name) for one in references(workload)}
    return used | {("ServiceAccount", workload.namespace, workload.spec.service_account_name or "default")}


def _not_in(used: Used, kind: str, present: Iterable[ObjectMeta]) -> Iterator[Finding]:
    for meta in present:
        # What another object owns, such as a Certificate or an operator's resource, is that one's business.
        if (kind, meta.namespace, meta.name) in used or meta.owner_references or meta.name in _GIVEN:
            continue
        where = named(kind, meta.namespace, meta.name)
        why, fix = "no workload of its namespace names it", "delete it when no program reads it by itself"
        yield Finding("info", "unused", "not_used", where, why, fix)


def _of_template(claim: ObjectMeta, running: Iterable[Workload]) -> bool:
    """Whether a claim was made from the template of a StatefulSet that is there."""
    return any(
        claim.namespace == one.namespace and claim.name.startswith(prefix) and claim.name[len(prefix) :].isdigit()
        for one in running
        for prefix in one.claims
    )


def _released(volumes: Iterable[Volume]) -> Iterator[Finding]:
    for volume in volumes:
        if volume.status.phase in {"Released", "Failed"}:
            why = f"is {volume.status.phase}: its claim is gone, its storage is kept"
            fix = "save what is on it, then delete it"
            yield Finding(
                "warning", "unused", "released_volume", named("PersistentVolume", "", volume.metadata.name), why, fix
            )
