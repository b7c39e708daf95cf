"""The state of a release, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.result import Table, Text
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.services.helm.releases.live import live_objects
from cloud_native_mcp.services.helm.releases.manifest import documents_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.helm.releases.live import Live
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument
    from cloud_native_mcp.services.helm.releases.record import Body, Hook, Record

_METHODS = {"ssa": "server-side apply", "csa": "client-side apply"}
MOST_FINDINGS = 20


async def status_blocks(
    client: KubernetesClient, release: Release, record: Record, body: Body, *, deadline: Deadline
) -> list[Block]:
    """Facts, findings, and hooks."""
    uninstalled = record.status == "uninstalled"
    documents = [] if uninstalled else documents_of(body.manifest)
    live = await live_objects(client, release.namespace, documents, deadline=deadline)
    blocks: list[Block] = [Text("\n".join(_facts(release, record, body, live)), untrusted=True, source="release")]
    if findings := _findings(release, record, body, live):
        more = len(findings) - MOST_FINDINGS
        lines = [*findings[:MOST_FINDINGS], *([f"… and {more} more; see view=resources"] if more > 0 else [])]
        blocks.append(Text("\n".join(lines), title="Findings", untrusted=True, source="findings"))
    if ran := [hook for hook in body.hooks or () if hook.last_run.phase]:
        rows = [(hook.name, hook.kind, ", ".join(hook.events or ()), *_run_of(hook)) for hook in ran]
        columns = ("HOOK", "KIND", "EVENTS", "RESULT", "ENDED")
        blocks.append(Table(columns, rows, title="Hooks", untrusted=True, source="hooks"))
    return blocks


async def readiness_blocks(
    client: KubernetesClient, namespace: str, documents: Sequence[ReleaseDocument], *, deadline: Deadline
) -> list[Block]:
    """The objects that tell whether they work, and whether they do."""
    live = await live_objects(client, namespace, documents, deadline=deadline)
    rows = [(one.label, one.state, "yes" if one.ready else "no") for one in live if one.ready is not None]
    return [Table(("OBJECT", "STATE", "READY"), rows, untrusted=True, source="objects")] if rows else []


def _facts(release: Release, record: Record, body: Body, live: Sequence[Live]) -> list[str]:
    metadata, info = body.chart.metadata, body.info
    judged = [one for one in live if one.ready is not None]
    facts = (
        ("status", record.status),
        ("description", info.description),
        ("chart", f"{metadata.name}-{metadata.version}{' (deprecated)' if metadata.deprecated else ''}"),
        ("app version", metadata.app_version or ""),
        ("first deployed", _when(info.first_deployed)),
        ("last deployed", _when(info.last_deployed)),
        ("uninstalled", _when(info.deleted) if record.status == "uninstalled" else ""),
        ("applied by", _METHODS.get(body.apply_method, "")),
        ("labels", ", ".join(f"{key}={value}" for key, value in record.labels.items())),
        ("objects", f"{len(live)}, {sum(one.object is not None for one in live)} there" if live else ""),
        ("ready", f"{sum(one.ready is True for one in judged)} of {len(judged)} that tell" if judged else ""),
        ("held revisions", ", ".join(str(one.revision) for one in release.revisions)),
    )
    return [f"{name}: {value}" for name, value in facts if value]


def _findings(release: Release, record: Record, body: Body, live: Sequence[Live]) -> list[str]:
    found: list[str] = []
    serving = release.deployed
    if record is release.newest and record.pending:
        found.append(_pending(release, record))
    if record is release.newest and record.status == "failed":
        still = f"; revision {serving.revision} is still marked deployed" if serving else ""
        found.append(f"revision {record.revision} failed{still}, what it had applied stays")
    found += [
        f"hook {hook.kind} {hook.name} ({', '.join(hook.events or ())}) failed"
        for hook in body.hooks or ()
        if hook.last_run.phase == "Failed"
    ]
    if record.status in {"deployed", "failed"}:
        found += [f"missing: {one.label} is in the manifest and not in the cluster" for one in live if one.missing]
        found += [f"not ready: {one.label}: {one.state or 'not ready'}" for one in live if one.ready is False]
    found += [f"not read: {one.label}: {one.unread}" for one in live if one.unread]
    return found


def _pending(release: Release, record: Record) -> str:
    what = f"{record.status} since {format_age(record.age)}"
    if not record.broken:
        return f"{what}: an operation is under way, others are refused until it ends"
    back = release.deployed
    way = f"a rollback to revision {back.revision} clears it" if back else "uninstalling it clears it"
    return f"{what}: the operation was broken off; upgrades are refused, {way}"


def _run_of(hook: Hook) -> tuple[str, str]:
    return hook.last_run.phase, _when(hook.last_run.completed_at)


def _when(timestamp: str | None) -> str:
    """An RFC 3339 time to the second with its age; Go's zero time is none."""
    if not timestamp or timestamp.startswith("0001-"):
        return ""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return timestamp
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({format_age(datetime.now(UTC) - moment)} ago)"
