"""The stages a call goes through; `pipeline` holds their order.

Each stage is an async function ``(parts, flow, proceed)``: it does its part, fills in what later stages need, and calls
``proceed`` for the rest of the chain. A stage refuses by raising `ToolError`.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.contract.acting import working_for
from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.rights import limited_to
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.routing.binding import bind, effect_of
from cloud_native_mcp.routing.confirmations import CallConfirmations, plan_of
from cloud_native_mcp.routing.cursors import CallCursors
from cloud_native_mcp.routing.permissions.permissions import authorise
from cloud_native_mcp.routing.request import AGGREGATE
from cloud_native_mcp.telemetry import logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cloud_native_mcp.audit.trail import AuditTrail
    from cloud_native_mcp.contract.server import ServerView
    from cloud_native_mcp.limits.seats import Seats
    from cloud_native_mcp.manager.lifecycle import Manager, Running
    from cloud_native_mcp.response.render import Rendered, Renderer
    from cloud_native_mcp.routing.binding import Bound
    from cloud_native_mcp.routing.catalogue import Catalogue, Entry
    from cloud_native_mcp.routing.config import CallsConfig
    from cloud_native_mcp.routing.permissions.permissions import Permissions
    from cloud_native_mcp.routing.permissions.rights import Rights
    from cloud_native_mcp.routing.request import CallRequest
    from cloud_native_mcp.secrets.sealing import Sealer
    from cloud_native_mcp.telemetry.metrics import Metrics

    Proceed = Callable[["Flow"], Awaitable[None]]
    Stage = Callable[["Parts", "Flow", Proceed], Awaitable[None]]

logger = logging.getLogger(__name__)

GRACE_S = 15.0
"""Seconds a tool that waits on purpose gets beyond its own waiting argument."""

TRACE_ID: Final = slice(3, 35)
"""Where the id of the trace is in a ``traceparent`` (W3C Trace Context)."""

WIDENING: Final = frozenset({"limit", "tail", "max_bytes", "max_points"})
"""Arguments by which a caller asks for a longer answer than usual: they lift the budget to the tool's cap."""


@dataclass(slots=True)
class Parts:
    """What the stages work with."""

    catalogue: Catalogue
    permissions: Permissions
    manager: Manager
    audit: AuditTrail
    seats: Seats
    renderer: Renderer
    cursors: Sealer
    confirm_keys: Sequence[bytes]
    metrics: Metrics
    view: ServerView
    calls: CallsConfig


@dataclass(slots=True)
class Flow:
    """One call on its way through the chain; a stage fills in what later stages need."""

    request: CallRequest
    run_inner: Callable[[Flow], Awaitable[None]]
    started: float = field(default_factory=time.perf_counter)
    parent: Flow | None = None
    stage: str = ""
    rights: Rights | None = None
    entry: Entry | None = None
    bound: Bound | None = None
    effect: Effect | None = None
    human: bool = False
    deadline: Deadline | None = None
    running: Running | None = None
    cursors: CallCursors | None = None
    result: Result | None = None
    rendered: Rendered | None = None
    error: ToolError | None = None


async def record(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """Keep what the rest of the chain answered or refused: audit, metrics, log. The top handler of all faults."""
    outcome = "cancelled"
    request_id = logs.request_id.set(flow.request.request_id)
    trace_id = logs.trace_id.set(flow.request.client.traceparent[TRACE_ID])
    try:
        await proceed(flow)
        outcome = "ok"
    except ToolError as error:
        flow.error = error
        outcome = "failed" if isinstance(error, BackendError) or flow.stage in ("act", "shape") else "refused"
    except Exception:
        logger.exception("fault in %s of %s", flow.stage, flow.request.tool)
        flow.error = ToolError("internal", f"a fault of this server; request {flow.request.request_id}")
        outcome = "failed"
    finally:
        await _keep(parts, flow, outcome)
        logs.trace_id.reset(trace_id)  # what the tool that made this call logs later is its own again
        logs.request_id.reset(request_id)


async def resolve(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """Which tool is meant."""
    flow.rights = parts.permissions.rights_of(flow.request.principal)
    flow.entry = parts.catalogue.resolve(flow.request.endpoint, flow.request.tool, flow.rights)
    await proceed(flow)


async def validate(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """Whether its arguments are right; nothing was contacted before."""
    entry = _entry(flow)
    flow.bound = bind(entry, flow.request.arguments)
    flow.cursors = CallCursors(parts.cursors, principal=flow.request.principal, tool=entry.name, bound=flow.bound)
    await proceed(flow)


async def authorise_call(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """Whether the server and the caller's rights allow this very call; everything it does is held to those rights."""
    entry, bound, rights = _entry(flow), _bound(flow), _rights(flow)
    flow.effect = effect_of(entry, bound.args)
    targets = authorise(rights, entry, flow.effect, bound.targets, parts.catalogue.effects)
    if targets != bound.targets:
        flow.bound = replace(bound, targets=targets)
    flow.human = parts.permissions.requires_human(entry, flow.effect, targets)
    if flow.human and "confirm" in bound.given:
        raise ToolError("needs_person", "confirm: a person has to agree to this call, so a code is not enough")
    with limited_to(rights.of_call(entry, flow.effect)):
        await proceed(flow)


async def begin(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """A call that changes something is on record, durably, before it acts."""
    if flow.effect is not Effect.READ:
        await parts.audit.begin(audit_record(flow, phase="begin", outcome=""))
    await proceed(flow)


async def admit(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """One seat and one deadline for everything the call does.

    A call made by a tool rides on the seat of that tool, which waits for it: were it to need one of its own, calls that
    hold all seats could wait for each other.
    """
    seconds = _seconds(parts, flow)
    flow.deadline = Deadline.after(seconds)
    if flow.parent is not None and flow.parent.deadline is not None:
        flow.deadline = Deadline(min(flow.deadline.at, flow.parent.deadline.at))
    seat = parts.seats.take() if flow.parent is None else contextlib.nullcontext()
    timer = flow.deadline.enforce()
    try:
        async with timer, seat:
            await proceed(flow)
    except TimeoutError:
        if not timer.expired():  # a fault of the tool, which let a timeout of its own through
            raise
        raise ToolError("timeout", f"not finished within {seconds:g} s; narrow the call") from None


async def shape(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """Turn the answer into text within the budget: masked, marked, with a cursor where it was cut."""
    await proceed(flow)
    flow.stage = "shape"
    entry, bound, cursors = _entry(flow), _bound(flow), flow.cursors
    if flow.result is None or cursors is None:
        raise ToolError("internal", f"{entry.name} gave no answer")
    budget = entry.tool.budget
    limit = budget.cap if bound.given & WIDENING else budget.usual
    flow.rendered = parts.renderer.render(flow.result, limit=limit, seal=cursors.seal)


async def alive(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """Whether the service runs."""
    entry = _entry(flow)
    flow.running = parts.manager.running.get(entry.service)
    if flow.running is None:
        raise ToolError("service_unavailable", f"service {entry.service} is not running; see utilities_status")
    await proceed(flow)


async def act(parts: Parts, flow: Flow, proceed: Proceed) -> None:
    """The service's own work."""
    entry, bound = _entry(flow), _bound(flow)
    call = _call(parts, flow)
    if flow.human and not entry.plans:
        flow.result = call.confirm(plan_of(entry.name, _effect(flow), bound.targets, flow.request.arguments), UNSET)
        if flow.result is not None:
            return
    try:
        with working_for(flow.request.principal):
            flow.result = await entry.tool.run(call, bound.args)
    except BackendError as error:
        if len(bound.targets) == 1:
            parts.manager.observe(entry.service, call.target, error)
        raise
    if len(bound.targets) == 1:
        parts.manager.observe(entry.service, call.target, None)
    await proceed(flow)


def audit_record(flow: Flow, *, phase: str, outcome: str) -> AuditRecord:
    """The audit's record of a call as far as it came."""
    request, entry = flow.request, flow.entry
    return AuditRecord(
        phase=phase,
        request_id=request.request_id,
        parent_id=flow.parent.request.request_id if flow.parent else "",
        principal=request.principal.id,
        method=request.principal.method,
        groups=request.principal.groups,
        door=request.client.door,
        peer=request.client.peer,
        protocol=request.client.protocol_version,
        traceparent=request.client.traceparent,
        endpoint=request.endpoint,
        tool=request.tool,
        service=entry.service if entry else "",
        effect=flow.effect.value if flow.effect else "",
        targets=flow.bound.targets if flow.bound else (),
        arguments=request.arguments,
        outcome=outcome,
        code=flow.error.code if flow.error else "",
        stage=flow.stage if flow.error else "",
        size=flow.rendered.size if flow.rendered else 0,
        seconds=time.perf_counter() - flow.started,
    )


async def _keep(parts: Parts, flow: Flow, outcome: str) -> None:
    done = audit_record(flow, phase="end", outcome=outcome)
    service = flow.entry.service if flow.entry else "none"
    tool = flow.entry.name if flow.entry else "unknown"
    parts.metrics.call(service, tool, outcome, done.seconds, done.size)
    await parts.audit.end(done)


def _call(parts: Parts, flow: Flow) -> Call[Any]:
    entry, bound = _entry(flow), _bound(flow)
    if flow.running is None or flow.deadline is None or flow.cursors is None:
        raise ToolError("internal", f"{entry.name} was called before it was admitted")
    return Call(
        tool=entry.name,
        service=flow.running.service,
        principal=flow.request.principal,
        targets=bound.targets,
        deadline=flow.deadline,
        given=bound.given,
        progress=flow.request.progress,
        cursors=flow.cursors,
        confirmations=CallConfirmations(
            parts.confirm_keys,
            principal=flow.request.principal,
            tool=entry.name,
            bound=bound,
            consent=flow.request.consent if flow.parent is None else "",
            human=flow.human,
        ),
        tools=_InnerTools(flow),
        server=parts.view,
        log=logging.LoggerAdapter(logger, {"tool": entry.name}),
        request_id=flow.request.request_id,
    )


def _seconds(parts: Parts, flow: Flow) -> float:
    """How long the call may take, by its tool's timeout class."""
    declared, calls = _entry(flow).tool, parts.calls
    match declared.timeout:
        case "quick":
            seconds = calls.quick_timeout_s
        case "slow":
            seconds = calls.slow_timeout_s
        case "long":
            seconds = float(getattr(_bound(flow).args, declared.waits, 0)) + GRACE_S
    return min(seconds, calls.max_timeout_s)


def _entry(flow: Flow) -> Entry:
    if flow.entry is None:
        raise ToolError("internal", "a stage came before resolve")
    return flow.entry


def _rights(flow: Flow) -> Rights:
    if flow.rights is None:
        raise ToolError("internal", "a stage came before resolve")
    return flow.rights


def _effect(flow: Flow) -> Effect:
    if flow.effect is None:
        raise ToolError("internal", "a stage came before authorise")
    return flow.effect


def _bound(flow: Flow) -> Bound:
    if flow.bound is None:
        raise ToolError("internal", "a stage came before validate")
    return flow.bound


class _InnerTools:
    """Tools called by a tool: authorised and audited as children, within the parent's deadline and on its seat."""

    __slots__ = ("_parent",)

    def __init__(self, parent: Flow) -> None:
        self._parent = parent

    async def call(self, name: str, arguments: Mapping[str, object]) -> Result:
        """The structured answer of another tool; raises `ToolError` as that tool would."""
        parent = self._parent
        request = replace(
            parent.request, endpoint=AGGREGATE, tool=name, arguments=arguments, request_id=uuid.uuid4().hex
        )
        flow = Flow(request, run_inner=parent.run_inner, parent=parent)
        await parent.run_inner(flow)
        if flow.error is not None:
            raise flow.error
        if flow.result is not None and flow.result.needs_person:
            raise ToolError("needs_person", f"{name}: a person has to agree to this call; make it by itself")
        return flow.result or Result()
