"""The state of a server at a glance; each part fails alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.contract.times import format_age, rfc3339
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.prometheus.answers import (
    BuildInfo,
    HeadStats,
    MetricValue,
    Reply,
    RuntimeInfo,
    SelfMetric,
    TsdbStatus,
    WalReplay,
)
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.numbers import moment
from cloud_native_mcp.upstream.errors import label_of
from cloud_native_mcp.upstream.status import raise_for_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.prometheus.service import Backend

Fact = list[str | int | float | bool | None]
Load: TypeAlias = "Callable[[Backend, Deadline], Awaitable[list[Fact]]]"
_LACKS: Final = "this version or backend does not tell it"
_SIZES: Final = {
    "prometheus_tsdb_storage_blocks_bytes": "blocks on disk",
    "prometheus_tsdb_wal_storage_size_bytes": "write-ahead log on disk",
    "prometheus_tsdb_head_chunks_storage_size_bytes": "head chunks on disk",
    "process_resident_memory_bytes": "resident memory",
}


async def overview(backend: Backend, deadline: Deadline) -> Result:
    """Readiness, version, uptime, retention, head block, write-ahead log and sizes.

    Raises:
        ToolError: ``not_ready`` while the server starts, with how far replaying its log is.
        BackendError: no part can be had, and not because the backend lacks them.
    """
    ready = await _ready(backend, deadline)
    parts = await together(*(_part(load, backend, deadline) for load in _PARTS.values()))
    failed = {name: part for name, part in zip(_PARTS, parts, strict=True) if isinstance(part, BackendError)}
    faults = [error for error in failed.values() if error.code != "unsupported"]
    if faults and len(failed) == len(parts):
        raise faults[0]
    facts: list[Fact] = [["ready", ready]]
    for part in parts:
        facts += [] if isinstance(part, BackendError) else part
    partial = [f"{name}: {error.code}: {error.text}" for name, error in failed.items()]
    header = f"{backend.name}: state at {rfc3339(datetime.now(UTC).replace(microsecond=0))}"
    return Result(header=header, blocks=[Table(["FACT", "VALUE"], facts)], partial=partial)


async def _part(load: Load, backend: Backend, deadline: Deadline) -> list[Fact] | BackendError:
    """The facts of one part, or why it has none."""
    try:
        return await load(backend, deadline)
    except BackendError as error:
        if error.code in {"unreachable", "timeout", "unauthorized"}:
            raise
        return error


async def wal_replay(backend: Backend, deadline: Deadline) -> Result:
    """How far replaying the write-ahead log is; it answers while the server is not ready."""
    replay = await _replay(backend, deadline)
    return Result(header=f"{backend.name}: write-ahead log {_replayed(replay)}")


async def _ready(backend: Backend, deadline: Deadline) -> str:
    """``yes``, or ``unknown`` where the backend has no such page (what a login page answers is no readiness)."""
    response = await backend.client.page("/-/ready", deadline=deadline)
    if response.status == 200 and not response.body.lstrip().startswith(b"<"):
        return "yes"
    if response.status == 503:
        try:
            replay = f"; write-ahead log {_replayed(await _replay(backend, deadline))}"
        except BackendError:
            replay = ""
        text = f"{label_of(backend.client.target)}: the server is starting (503 from /-/ready){replay}"
        raise ToolError("not_ready", text, kind="wait")
    if response.status in {401, 403}:
        raise_for_status(response, what="readiness", target=backend.client.target)
    return "unknown (no /-/ready page)"


async def _build(backend: Backend, deadline: Deadline) -> list[Fact]:
    asked = Asked("build information", alternative=_LACKS)
    info = (await backend.client.get("/status/buildinfo", Reply[BuildInfo], asked, deadline=deadline)).data
    if info is None:
        return []
    return _known({"version": info.version, "revision": info.revision, "Go": info.go_version})


async def _runtime(backend: Backend, deadline: Deadline) -> list[Fact]:
    asked = Asked("runtime information", alternative=_LACKS)
    info = (await backend.client.get("/status/runtimeinfo", Reply[RuntimeInfo], asked, deadline=deadline)).data
    if info is None:
        return []
    loaded = None if info.reload_config_success is None else "succeeded" if info.reload_config_success else "FAILED"
    return _known(
        {
            "started": _since(info.start_time),
            "last reload": f"{loaded}, {_since(info.last_config_time)}" if loaded else None,
            "retention": info.storage_retention,
            "corruptions": info.corruption_count,
            "goroutines": info.goroutine_count,
        }
    )


async def _head(backend: Backend, deadline: Deadline) -> list[Fact]:
    asked = Asked("head block", alternative=_LACKS)
    params = [("limit", "1")]
    status = (await backend.client.get("/status/tsdb", Reply[TsdbStatus], asked, deadline=deadline, params=params)).data
    return head_facts(status.head_stats) if status and status.head_stats else []


def head_facts(head: HeadStats) -> list[Fact]:
    """What the head block holds."""
    filled = head.max_time >= head.min_time
    return _known(
        {
            "series": head.num_series,
            "label pairs": head.num_label_pairs,
            "chunks": head.chunk_count,
            "oldest sample in head": rfc3339(moment(head.min_time / 1000)) if filled else None,
            "newest sample": rfc3339(moment(head.max_time / 1000)) if filled else None,
        }
    )


async def _log(backend: Backend, deadline: Deadline) -> list[Fact]:
    return [["write-ahead log", _replayed(await _replay(backend, deadline))]]


async def _replay(backend: Backend, deadline: Deadline) -> WalReplay:
    asked = Asked("write-ahead log replay", alternative="it came with Prometheus 2.28")
    reply = await backend.client.get("/status/walreplay", Reply[WalReplay], asked, deadline=deadline)
    return reply.data or WalReplay()


async def _sizes(backend: Backend, deadline: Deadline) -> list[Fact]:
    """Sizes from the server's own metrics; nothing where it does not serve them (before 3.12)."""
    asked = Asked("own metrics", alternative=_LACKS)
    try:
        reply = await backend.client.get("/status/self_metrics", Reply[list[SelfMetric]], asked, deadline=deadline)
    except BackendError as error:
        if error.code != "unsupported":
            raise
        return []
    values = {metric.name: value for metric in reply.data or [] if (value := _value(metric)) is not None}
    return [[words, _bytes(values[name])] for name, words in _SIZES.items() if name in values]


def _value(metric: SelfMetric) -> float | None:
    for sample in metric.metric or []:
        found: MetricValue | None = sample.gauge or sample.counter
        if found is not None and isinstance(found.value, float):
            return found.value
    return None


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1000
    return f"{size:.3g} TB"


def _replayed(replay: WalReplay) -> str:
    if replay.current >= replay.max:
        return f"replayed (segments {replay.min} to {replay.max})"
    return f"segment {replay.current} of {replay.max} replayed"


def _known(facts: dict[str, str | int | None]) -> list[Fact]:
    return [[name, value] for name, value in facts.items() if value not in {None, ""}]


def _since(text: str) -> str:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{rfc3339(when.astimezone(UTC).replace(microsecond=0))} ({format_age(datetime.now(UTC) - when)} ago)"


_PARTS: Final[dict[str, Load]] = {
    "build information": _build,
    "runtime information": _runtime,
    "head block": _head,
    "write-ahead log": _log,
    "sizes": _sizes,
}
