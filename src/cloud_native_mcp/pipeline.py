"""The path of a call, as data.

Every door (Streamable HTTP, SSE, stdio, CLI) hands its calls to one `CallChain`; there is no second path to a tool. A
refusal at any stage is recorded in the audit with the stage's name. For HTTP messages the message chain stands before
it (`transport.http_app`): guard, auth, rate.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.request import CallAnswer
from cloud_native_mcp.stages import Flow, act, admit, alive, authorise_call, begin, record, resolve, shape, validate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.routing.request import CallRequest, ToolList
    from cloud_native_mcp.stages import Parts, Stage

CALL_CHAIN: Final[tuple[tuple[str, Stage], ...]] = (
    ("record", record),
    ("resolve", resolve),
    ("validate", validate),
    ("authorise", authorise_call),
    ("begin", begin),
    ("admit", admit),
    ("shape", shape),
    ("alive", alive),
    ("act", act),
)

INNER_CHAIN: Final = tuple(stage for stage in CALL_CHAIN if stage[0] != "shape")
"""Calls that a tool makes of other tools: the same chain, but the answer stays structured."""


class CallChain:
    """The inside of the server as the doors see it (`routing.request.ToolDoor`)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._run = _compose(CALL_CHAIN, parts)
        self._run_inner = _compose(INNER_CHAIN, parts)

    @property
    def endpoints(self) -> Sequence[str]:
        """``aggregate`` and the names of the running services."""
        return self._parts.catalogue.endpoints

    def list_tools(self, endpoint: str, principal: Principal) -> ToolList:
        """The tools a caller sees at an endpoint."""
        return self._parts.catalogue.list_of(endpoint, self._parts.permissions.rights_of(principal))

    def input_schema(self, endpoint: str, name: str) -> Mapping[str, object] | None:
        """The schema of a tool of that endpoint, or None."""
        entry = self._parts.catalogue.find(endpoint, name)
        return entry.schema if entry else None

    def may_ask(self, endpoint: str, name: str) -> bool:
        """Whether calls of that tool may answer a plan that a person is asked about."""
        entry = self._parts.catalogue.find(endpoint, name)
        return entry is not None and (entry.plans or self._parts.permissions.may_require_human(entry))

    async def call(self, request: CallRequest) -> CallAnswer:
        """Run the chain; only ``unknown_tool`` is raised, every other refusal is an answer."""
        flow = Flow(request, run_inner=self._run_inner)
        await self._run(flow)
        error = flow.error
        if error is None and flow.rendered is not None and flow.result is not None:
            result = flow.result
            return CallAnswer(
                flow.rendered.content, facts=result.facts, confirm=result.confirm, needs_person=result.needs_person
            )
        error = error or ToolError("internal", "the call ended without an answer")
        if error.code == "unknown_tool":
            raise error
        target = flow.bound.targets[0] if flow.bound and flow.bound.targets else ""
        rendered = self._parts.renderer.render_error(error, tool=request.tool, target=target)
        return CallAnswer(rendered.content, is_error=True, code=error.code)


def _compose(stages: Sequence[tuple[str, Stage]], parts: Parts) -> Callable[[Flow], Awaitable[None]]:
    """One function that runs the stages in order, each around the rest."""

    async def end(flow: Flow) -> None:
        """After the last stage nothing is left to do."""

    proceed: Callable[[Flow], Awaitable[None]] = end
    for name, stage in reversed(stages):
        proceed = partial(_enter, name, stage, parts, proceed)
    return proceed


async def _enter(name: str, stage: Stage, parts: Parts, proceed: Callable[[Flow], Awaitable[None]], flow: Flow) -> None:
    flow.stage = name
    await stage(parts, flow, proceed)
