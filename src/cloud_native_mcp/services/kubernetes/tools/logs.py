"""``kubernetes_logs``: logs of pods, of workloads, and of nodes.

API: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.namespaces import missing_namespace, namespace_words
from cloud_native_mcp.backends.kubernetes.selectors import check_label_selector
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Block, Budget, Result, Table, Text
from cloud_native_mcp.contract.times import parse_instant, rfc3339
from cloud_native_mcp.contract.tool import FREE_TEXT, Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.kubelet import UNREACHABLE, UNREACHABLE_MEANING
from cloud_native_mcp.services.kubernetes.logs.choice import Choice, Kept, View, choose_lines
from cloud_native_mcp.services.kubernetes.logs.containers import ALL, by_need, choose, refuse_silent
from cloud_native_mcp.services.kubernetes.logs.matching import Grep
from cloud_native_mcp.services.kubernetes.logs.node import read_node
from cloud_native_mcp.services.kubernetes.logs.patterns import Patterns
from cloud_native_mcp.services.kubernetes.logs.reading import MOST_LINES, NO_TIME, Wanted, read_container
from cloud_native_mcp.services.kubernetes.logs.text import Style, cut_line, first_error, newest_within
from cloud_native_mcp.services.kubernetes.workloads import pod_resource, pods_matching, pods_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.logs.containers import Source
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_PODS: Final = 10
MOST_CONTAINERS: Final = 30
MOST_FILES: Final = 500
PARALLEL: Final = 5
MOST_SCANNED: Final = 100_000
"""Lines looked at in one call, over all containers."""
BUDGET: Final = Budget(usual=24_000, cap=128_000)
_AROUND: Final = 4_000
"""Bytes of the budget kept for what stands around the lines."""
_SAMPLE: Final = 300


class LogsArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_logs``."""

    kind: Annotated[str, Meta(description="pod, any workload kind, or node")] = "pod"
    name: Annotated[str, Meta(description="Object name; or give label_selector")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace (not for nodes)")] | UnsetType = UNSET
    label_selector: Annotated[str, Meta(description="Pods to read, in place of name")] | UnsetType = UNSET
    container: (
        Annotated[str, Meta(description="Container, * for all; node: service or file under /var/log")] | UnsetType
    ) = UNSET
    previous: Annotated[bool, Meta(description="Log of the last terminated container")] = False
    tail: Annotated[int, Meta(ge=1, le=5000, description="Lines per container, newest")] = 100
    since: Annotated[str, Meta(description="10m, 2h or RFC 3339 start")] | UnsetType = UNSET
    grep: Annotated[str, Meta(description="Regular expression; leading ! inverts", extra=FREE_TEXT)] | UnsetType = UNSET
    view: Annotated[View, Meta(description="lines, errors only, or folded patterns")] = "lines"
    timestamps: Annotated[bool, Meta(description="Prefix time")] = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """The checked request."""

    choice: Choice
    wanted: Wanted
    timestamps: bool
    size: int
    """Bytes for the lines."""


@tool(
    "logs",
    args=LogsArgs,
    effect=Effect.READ,
    toolset="core",
    untrusted=True,
    budget=BUDGET,
    description=(
        "Logs of a pod, of all pods of a workload or selector, or of a node service (kind=node, container=kubelet). "
        "Filters on the server; can fold lines into patterns."
    ),
    own_errors={
        "no_previous": "the container was never restarted, or its earlier log is gone",
        "container_waiting": "the container has not started; its reason is given",
        "node_logs_disabled": "the kubelet does not serve such logs; the setting is named",
        UNREACHABLE: UNREACHABLE_MEANING,
        "cut": "not an error: the stream ended early, and what came is given",
    },
)
async def logs(call: Call[KubernetesService], args: LogsArgs) -> Result:
    """Lines, errors or patterns of one or more logs."""
    asked = _asked(call, args)
    client = call.service.client(call.target)
    if args.label_selector is not UNSET:
        return await _of_selector(client, args, asked)
    resource = await client.discovery.resolve(args.kind, deadline=call.deadline)
    name = check_name(args.name or "", resource=resource)
    if (resource.group, resource.kind) == ("", "Node"):
        return await _of_node(client, resource, name, args, asked)
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else client.namespace
    pods = await pods_of(client, resource, name, namespace=namespace, deadline=call.deadline)
    what = f"{resource.kind} {name} in namespace {namespace}"
    if not pods:
        return Result(header=_header(what, client, args), notes=["it has no pods now"])
    return await _of_pods(client, pods, what, args, asked)


TOOLS = (logs,)


def _asked(call: Call[KubernetesService], args: LogsArgs) -> _Asked:
    """The checked request; nothing has been sent yet.

    Raises:
        InvalidArgument: names the argument and the rule it breaks.
    """
    if (args.name is UNSET) == (args.label_selector is UNSET):
        raise InvalidArgument("name", "give either name or label_selector")
    if args.label_selector is not UNSET and "kind" in call.given and args.kind.lower() not in {"pod", "pods", "po"}:
        raise InvalidArgument("label_selector", "selects pods; leave out kind, or give name instead")
    since = None
    if args.since is not UNSET:
        since = parse_instant(args.since, field="since")
        if since > datetime.now(UTC):
            raise InvalidArgument("since", "lies in the future")
    choice = Choice(args.view, args.tail, Grep(args.grep) if args.grep is not UNSET else None)
    budget = BUDGET.cap if "tail" in call.given else BUDGET.usual
    wanted = Wanted(choice.lines, since, args.previous, call.deadline)
    return _Asked(choice, wanted, args.timestamps, budget - _AROUND)


async def _of_selector(client: KubernetesClient, args: LogsArgs, asked: _Asked) -> Result:
    """Logs of the pods that a label selector names, in one namespace or in all."""
    selector = check_label_selector(args.label_selector or "")
    namespace = check_namespace(args.namespace) if args.namespace is not UNSET else None
    deadline = asked.wanted.deadline
    pods = await pods_matching(client, selector, namespace=namespace, deadline=deadline)
    where = namespace_words(namespace, [client])
    what = f"pods with {selector!a} in {where}"
    if pods:
        return await _of_pods(client, pods, what, args, asked)
    missing = await missing_namespace(client, namespace, deadline=deadline) if namespace else ""
    return Result(header=_header(what, client, args), notes=["no pod matches", *([missing] if missing else [])])


async def _of_pods(
    client: KubernetesClient, pods: Sequence[dict[str, object]], what: str, args: LogsArgs, asked: _Asked
) -> Result:
    """Logs of some pods: those that need attention first."""
    chosen = choose(by_need(pods)[:MOST_PODS], args.container or "")
    sources = chosen.sources[:MOST_CONTAINERS]
    read, failed = await _read_all(client, sources, asked)
    notes: list[str] = []
    if len(pods) > MOST_PODS:
        notes.append(f"read {MOST_PODS} of {len(pods)} pods: those not ready and the newest; narrow by name")
    if len(chosen.sources) > len(sources):
        notes.append(f"read {len(sources)} of {len(chosen.sources)} containers; narrow by name or container")
    if chosen.others and args.container is UNSET:
        notes.append(f"other containers: {', '.join(chosen.others)}; container={ALL} reads all")
    kept = [one for _, one in read]
    blocks, counts = await _blocks(kept, _labels([source for source, _ in read]), what, asked)
    table = _containers([(source, one, count) for (source, one), count in zip(read, counts, strict=True)])
    return Result(
        header=_header(what, client, args),
        blocks=[table, *blocks],
        notes=[*notes, *_notes(kept, asked)],
        partial=[*failed, *(f"{s.label}: cut: {one.cut}; what came is shown" for s, one in read if one.cut)],
    )


async def _read_all(
    client: KubernetesClient, sources: Sequence[Source], asked: _Asked
) -> tuple[list[tuple[Source, Kept]], list[str]]:
    """What is kept of each log, and a line for each that cannot be read.

    Raises:
        ToolError: of the first, when none can be read.
    """
    pods = await pod_resource(client, asked.wanted.deadline)
    seats = asyncio.Semaphore(PARALLEL)
    most = min(asked.wanted.lines, max(asked.choice.tail, MOST_SCANNED // max(1, len(sources))))
    wanted = Wanted(most, asked.wanted.since, asked.wanted.previous, asked.wanted.deadline)

    async def read(source: Source) -> Kept | ToolError:
        async with seats:
            try:
                refuse_silent(source, previous=wanted.previous)
                return await choose_lines(await read_container(client, pods, source, wanted), asked.choice)
            except ToolError as error:
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read(source)) for source in sources]
    answers = [(source, task.result()) for source, task in zip(sources, tasks, strict=True)]
    errors = [(source, answer) for source, answer in answers if isinstance(answer, ToolError)]
    if errors and len(errors) == len(answers):
        raise errors[0][1]
    failed = [f"{source.label}: {error.code}: {error.text}" for source, error in errors]
    return [(source, answer) for source, answer in answers if isinstance(answer, Kept)], failed


async def _of_node(client: KubernetesClient, nodes: Resource, name: str, args: LogsArgs, asked: _Asked) -> Result:
    """Log of a service or file of a node, or the list of files."""
    for field in ("namespace", "previous"):
        if getattr(args, field):
            raise InvalidArgument(field, "does not apply to nodes; leave it out")
    log = await read_node(client, nodes, name, asked.wanted, args.container or "")
    what = f"{args.container or '/var/log'} on Node {name}"
    if log.files is not None:
        grep = asked.choice.grep
        files = [file for file in log.files if grep is None or grep.keeps(file)]
        notes = [f"first {MOST_FILES} of {len(files)} files; narrow by grep"] if len(files) > MOST_FILES else []
        notes.append("container=<file> reads one, container=kubelet (or another service) its journal")
        table = Table(("FILE",), [(file,) for file in files[:MOST_FILES]], untrusted=True, source=what)
        return Result(header=_header(f"files of {what}", client, args), blocks=[table], notes=notes)
    kept = await choose_lines(log.read, asked.choice)
    blocks, counts = await _blocks([kept], [name], what, asked)
    notes = [f"{counts[0]} of {kept.matched} lines shown, {kept.scanned} scanned", *log.notes, *_notes([kept], asked)]
    partial = [f"cut: {kept.cut}; what came is shown"] if kept.cut else []
    return Result(header=_header(what, client, args), blocks=blocks, notes=notes, partial=partial)


async def _blocks(
    kept: Sequence[Kept], labels: Sequence[str], what: str, asked: _Asked
) -> tuple[list[Block], list[int]]:
    """The lines or patterns, and how many lines of each log they show."""
    source = f"logs of {what}"
    if asked.choice.view == "patterns":
        return await _pattern_blocks(kept, source), [one.matched for one in kept]
    logs = [one.lines for one in kept]
    style = Style(labels if len(labels) > 1 else [""], asked.timestamps)
    shown = newest_within(logs, style, asked.size)
    older = [lines[: len(lines) - count] for lines, count in zip(logs, shown.counts, strict=True)]
    left_out = sum(len(lines) for lines in older)
    blocks: list[Block] = []
    if left_out:
        if first := await first_error(older, style):
            blocks.append(Text(first, title="first error, of the lines left out:", untrusted=True, source=source))
        blocks.append(Text(f"… {left_out} older lines left out: narrow with grep, since, tail or view=errors"))
    if shown.text:
        blocks.append(Text(shown.text, untrusted=True, source=source, keep="tail"))
    return blocks, list(shown.counts)


async def _pattern_blocks(kept: Sequence[Kept], source: str) -> list[Block]:
    patterns = Patterns()
    for number, one in enumerate(kept):
        await patterns.add(one.lines, number)
    found = patterns.by_count()
    timed = any(pattern.last != NO_TIME for pattern in found)
    several = len(kept) > 1
    columns = ["COUNT", *(("FIRST", "LAST") if timed else ()), *(("LOGS",) if several else ()), "SAMPLE"]
    rows = [
        [
            pattern.count,
            *((_second(pattern.first), _second(pattern.last)) if timed else ()),
            *((len(pattern.sources),) if several else ()),
            cut_line(pattern.sample, _SAMPLE),
        ]
        for pattern in found
    ]
    title = f"{len(rows)} patterns" + (f", {patterns.left_out} lines of further ones" if patterns.left_out else "")
    return [Table(columns, rows, title=title, untrusted=True, source=source)] if rows else []


def _second(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0)) if moment != NO_TIME else ""


def _containers(read: Sequence[tuple[Source, Kept, int]]) -> Table:
    """A row for each container: what its pod's status says, and how much of its log is shown."""
    across = len({source.namespace for source, _, _ in read}) > 1
    columns = ("POD", "CONTAINER", "RESTARTS", "STATE", "LAST EXIT", "SHOWN", "MATCHED", "SCANNED")
    rows = [
        (
            f"{source.namespace}/{source.pod}" if across else source.pod,
            source.container,
            source.restarts,
            source.state,
            source.last_exit,
            shown,
            kept.matched,
            kept.scanned,
        )
        for source, kept, shown in read
    ]
    return Table(columns, rows)


def _labels(sources: Sequence[Source]) -> list[str]:
    """What stands before a line when several logs are merged."""
    across = len({source.namespace for source in sources}) > 1
    return [f"{source.namespace}/{source.label}" if across else source.label for source in sources]


def _notes(kept: Sequence[Kept], asked: _Asked) -> list[str]:
    notes: list[str] = []
    if not any(one.matched for one in kept):
        sought = {"errors": "no error", "patterns": "no line", "lines": "no line"}[asked.choice.view]
        notes.append(f"{sought} found in {sum(one.scanned for one in kept)} scanned lines")
    if asked.choice.scans and any(one.scanned >= MOST_LINES for one in kept):
        notes.append(f"scanned the newest {MOST_LINES} lines of a log, the most for one call; use since for a range")
    if not all(one.whole for one in kept):
        notes.append("a log has very long lines: its newest ones are missing; ask with a smaller tail")
    return notes


def _header(what: str, client: KubernetesClient, args: LogsArgs) -> str:
    """What was asked, where, as of when."""
    filters = [f"view {args.view}"] if args.view != "lines" else []
    filters += ["previous"] if args.previous else []
    filters += [f"since {args.since}"] if args.since else []
    filters += [f"grep {args.grep!a}"] if args.grep else []
    shown = f" ({', '.join(filters)})" if filters else ""
    now = rfc3339(datetime.now(UTC).replace(microsecond=0))
    return f"logs of {what}{shown} on {client.name}, {now}"
