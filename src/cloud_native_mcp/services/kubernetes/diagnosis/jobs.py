"""Jobs that failed, and CronJobs that did not run when they should have.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#job-creation
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.services.kubernetes.diagnosis.exit_codes import explained
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Condition, condition, moment
from cloud_native_mcp.services.kubernetes.diagnosis.survey import PODS, event_text
from cloud_native_mcp.services.kubernetes.diagnosis.workloads import create_denied
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Pod
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey
    from cloud_native_mcp.services.kubernetes.event_records import EventRecord

LATE: Final = timedelta(minutes=5)
"""A CronJob may start so long after its time."""
_MACROS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class _JobSpec(msgspec.Struct, gc=False):
    suspend: bool | None = None


class _JobStatus(msgspec.Struct, gc=False, rename="camel"):
    active: int = 0
    conditions: list[Condition] | None = None


class Job(msgspec.Struct, gc=False):
    """A Job."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _JobSpec = msgspec.field(default_factory=_JobSpec)
    status: _JobStatus = msgspec.field(default_factory=_JobStatus)


class _CronSpec(msgspec.Struct, gc=False, rename="camel"):
    schedule: str = ""
    time_zone: str | None = None
    suspend: bool | None = None
    concurrency_policy: str = ""
    starting_deadline_seconds: int | None = None


class _CronStatus(msgspec.Struct, gc=False, rename="camel"):
    active: list[dict[str, object]] | None = None
    last_schedule_time: str | None = None
    last_successful_time: str | None = None


class CronJob(msgspec.Struct, gc=False):
    """A CronJob."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _CronSpec = msgspec.field(default_factory=_CronSpec)
    status: _CronStatus = msgspec.field(default_factory=_CronStatus)


JOBS: Final = Kind("batch", "Job", Job)
CRON_JOBS: Final = Kind("batch", "CronJob", CronJob)


async def jobs(survey: Survey) -> list[Finding]:
    """Failed Jobs with how their pods ended, Jobs without pods, and CronJobs that missed their time."""
    events = await survey.events("jobs")
    cron_jobs = await survey.reader.optional(CRON_JOBS, "jobs")
    done = {(one.metadata.namespace, one.metadata.name): moment(one.status.last_successful_time) for one in cron_jobs}
    found: list[Finding] = []
    some = await survey.reader.objects(JOBS)
    ends = await _ends(survey) if any(_failed(one) for one in some) else {}
    async for job in unhurried(some):
        ref = Ref("Job", job.metadata.namespace, job.metadata.name)
        if _failed(job):
            found.append(_job_failed(ref, job, ends.get((ref.namespace, ref.name), ""), done))
        elif event := next((e for e in events.get(job.metadata.uid, ()) if e.reason == "FailedCreate"), None):
            if not job.status.active:
                found.append(create_denied(ref, event.message, event_text(event), event.first, 1))
        elif job.spec.suspend:
            found.append(Finding("info", "suspended", ref, "it is suspended", "spec.suspend: true", look_at(ref)))
    for cron in cron_jobs:
        found += _of_cron_job(cron, survey, events.get(cron.metadata.uid, ()))
    return found


def _failed(job: Job) -> bool:
    return condition(job.status.conditions, "Failed").status == "True"


async def _ends(survey: Survey) -> dict[tuple[str, str], str]:
    """How failed pods of Jobs ended, by namespace and name of the Job."""
    found: dict[tuple[str, str], str] = {}
    async for pod in unhurried(await survey.reader.optional(PODS, "jobs")):
        owner = pod.metadata.controller
        if owner is not None and owner.kind == "Job" and pod.status.phase == "Failed" and (words := _end(pod)):
            found[pod.metadata.namespace, owner.name] = words
    return found


def _end(pod: Pod) -> str:
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        ended = status.state.terminated
        if ended is not None and (ended.exit_code or ended.signal):
            return f"container {status.name}: {explained(ended.exit_code, ended.reason, ended.signal)}"
    return pod.status.message


def _job_failed(ref: Ref, job: Job, end: str, done: Mapping[tuple[str, str], datetime | None]) -> Finding:
    failed = condition(job.status.conditions, "Failed")
    owner = job.metadata.controller
    since = failed.since
    later = done.get((ref.namespace, owner.name)) if owner is not None and owner.kind == "CronJob" else None
    mended = later is not None and since is not None and later > since
    words = f"{failed.message or 'it failed'}{f'; {end}' if end else ''}"
    if mended:
        words += "; a later run succeeded"
    evidence = f"status.conditions[Failed]: {failed.reason}"
    call = tool_call("logs", kind="job", name=ref.name, namespace=ref.namespace)
    return Finding("info" if mended else "warning", "job_failed", ref, words, evidence, call, since)


def _of_cron_job(cron: CronJob, survey: Survey, events: Sequence[EventRecord]) -> Iterator[Finding]:
    ref = Ref("CronJob", cron.metadata.namespace, cron.metadata.name)
    if cron.spec.suspend:
        yield Finding("info", "suspended", ref, "it is suspended", "spec.suspend: true", look_at(ref))
        return
    last = moment(cron.status.last_schedule_time)
    began = last or moment(cron.metadata.creation_timestamp)
    due = last_due(cron.spec.schedule, cron.spec.time_zone, survey.now - LATE)
    if due is None or began is None or due <= began:
        return
    active = len(cron.status.active or ())
    words = f"it was due {due.isoformat()} and did not run"
    if active and cron.spec.concurrency_policy == "Forbid":
        words += f"; {active} earlier run still goes on, and concurrencyPolicy is Forbid"
    elif cron.spec.starting_deadline_seconds is not None and cron.spec.starting_deadline_seconds < 10:
        words += "; startingDeadlineSeconds is shorter than the controller's interval of 10 s"
    told = next((event_text(one) for one in events), "")
    evidence = (
        told or f"spec.schedule: {cron.spec.schedule}, status.lastScheduleTime: {last.isoformat() if last else '-'}"
    )
    yield Finding("warning", "cron_missed", ref, words, evidence, look_at(ref), due)


def last_due(schedule: str, zone: str | None, before: datetime) -> datetime | None:
    """When a schedule was last due before a moment, in UTC; None when it cannot be told.

    Args:
        zone: the CronJob's time zone. Without one the controller's own counts, which is UTC as a rule.
    """
    text = _MACROS.get(schedule.strip().lower(), schedule).replace("?", "*")
    try:
        start = before.astimezone(ZoneInfo(zone) if zone else UTC)
        return next(CronSim(text, start, reverse=True)).astimezone(UTC)
    except (CronSimError, ZoneInfoNotFoundError, StopIteration, ValueError, OverflowError, OSError):
        return None  # a form that only the controller knows, such as @every
