"""Reading one log: as a stream, bounded in lines and bytes, the newest lines kept.

``limitBytes`` of the API is not used: it drops the newest lines. A log that is too large is asked for again with as
many lines as fit.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from __future__ import annotations

import asyncio
import codecs
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from cloud_native_mcp.backends.kubernetes.status import KubernetesError
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.kubelet import is_unreachable, kubelet_unreachable
from cloud_native_mcp.services.kubernetes.logs.credentials import LineMask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.logs.containers import Source

MOST_LINES: Final = 20_000
MOST_BYTES: Final = 4 * 1024 * 1024
NO_TIME: Final = datetime.fromtimestamp(0, UTC)
_TRIES: Final = 3
_FILLED: Final = 0.9
"""Share of `MOST_BYTES` that a log which was too large is to fill at the next try."""
_PIECE: Final = 16_000
_NO_HEADERS: Final[Mapping[str, str]] = {}


class Line(NamedTuple):
    """One line; ``time`` is `NO_TIME` where the log tells none. A line without time has that of the one before."""

    time: datetime
    text: str


@dataclass(slots=True)
class Read:
    """What came of one log, oldest line first.

    Attributes:
        cut: why the stream ended early; empty when it ended by itself.
        whole: False when the log was larger than is read; then the newest lines are missing.
        size: bytes that came.
    """

    lines: list[Line] = field(default_factory=list[Line])
    cut: str = ""
    whole: bool = True
    size: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of a log is asked for."""

    lines: int
    since: datetime | None
    previous: bool
    deadline: Deadline


async def read_container(client: KubernetesClient, pods: Resource, source: Source, wanted: Wanted) -> Read:
    """The newest lines of a container's log.

    Raises:
        ToolError: ``container_waiting``, ``no_previous``, ``kubelet_unreachable``.
        KubernetesError: ``forbidden``, ``not_found``, …
    """
    params = [("container", source.container), ("timestamps", "true")]
    if wanted.previous:
        params.append(("previous", "true"))
    if wanted.since is not None:
        params.append(("sinceTime", rfc3339(wanted.since.replace(microsecond=0))))
    path = pods.path(namespace=source.namespace, name=source.pod, subresource="log")
    what = f"read logs of pods {source.pod} in {source.namespace}"
    try:
        return await read_newest(client, path, wanted.lines, params=params, what=what, deadline=wanted.deadline)
    except KubernetesError as error:
        raise _refusal(error, source) from error


async def read_newest(
    client: KubernetesClient,
    path: str,
    lines: int,
    *,
    params: Sequence[tuple[str, str]],
    what: str,
    deadline: Deadline,
    timed: bool = True,
) -> Read:
    """The newest lines of a log that takes ``tailLines``, at most `MOST_BYTES`."""
    read = Read()
    for _ in range(_TRIES):
        asked = [*params, ("tailLines", str(lines))]
        read = await read_stream(client, path, params=asked, what=what, deadline=deadline, timed=timed)
        if read.whole:
            break
        lines = max(1, int(len(read.lines) * _FILLED * MOST_BYTES / read.size))
    return read


async def read_stream(
    client: KubernetesClient,
    path: str,
    *,
    params: Sequence[tuple[str, str]],
    what: str,
    deadline: Deadline,
    timed: bool = True,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> Read:
    """A log as it comes. A stream that stalls or breaks gives what came.

    It is waited for until shortly before the deadline, so that there is time to answer.

    Args:
        timed: each line starts with its time, which is taken off.
    """
    read, mask = Read(), LineMask()
    opened = False
    until = Deadline(deadline.at - min(2.0, deadline.remaining * 0.2))
    try:
        async with client.stream(
            path, deadline=until, what=what, params=params, max_bytes=16 * MOST_BYTES, headers=headers
        ) as parts:
            opened = True
            async for text in _whole_lines(parts, read):
                for piece in _pieces(text):
                    _add(read.lines, mask.lines(piece), timed=timed)
                    await asyncio.sleep(0)
    except BackendError as error:
        if not opened or isinstance(error, KubernetesError):
            raise
        read.cut = error.text
    return read


async def _whole_lines(parts: AsyncIterator[bytes], read: Read) -> AsyncIterator[str]:
    """Text that ends where a line ends; what is left when the stream ends or breaks comes last."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    try:
        async for part in parts:
            read.size += len(part)
            text, found, after = decoder.decode(part).rpartition("\n")
            if found:
                yield f"{rest}{text}\n"
                rest = after
            else:
                rest += after
            if read.size > MOST_BYTES:
                read.whole = False
                return
    except BackendError as error:
        read.cut = error.text
    if rest:
        yield rest


def _pieces(text: str) -> Iterator[str]:
    """Whole lines of about `_PIECE` characters at a time, so that masking them does not hold up others."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _PIECE) + 1 or len(text)
        yield text[start:end]
        start = end


def _add(lines: list[Line], rows: Sequence[str], *, timed: bool) -> None:
    if not timed:
        lines += [Line(NO_TIME, row) for row in rows]
        return
    last = lines[-1].time if lines else NO_TIME
    for row in rows:
        stamp, _, text = row.partition(" ")
        time = _time(stamp)
        if time is None:
            text = row
        else:
            last = time
        lines.append(Line(last, text))


def _time(stamp: str) -> datetime | None:
    if not 20 <= len(stamp) <= 35 or stamp[10] != "T":
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _refusal(error: KubernetesError, source: Source) -> ToolError:
    """What an API server's refusal to give a log means."""
    where = f"container {source.container} of pod {source.pod}"
    if "is waiting to start" in error.message or "log target not found" in error.message:
        return ToolError("container_waiting", f"{where} has no log yet: {error.message}", kind="final")
    if "previous terminated container" in error.message:
        return ToolError("no_previous", f"{where}: the log before its last start is gone; leave out previous")
    if is_unreachable(error):
        return kubelet_unreachable(source.node, error)
    return error
