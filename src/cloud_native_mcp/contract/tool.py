"""Declaring a tool.

A tool is an async function ``(call, args) -> Result`` with a declaration::

    class FindArgs(Args):
        search: Annotated[str | UnsetType, Meta(description="Substring of the name")] = UNSET

    @tool("find", args=FindArgs, effect=Effect.READ, description="Discover what can be queried.")
    async def find(call: Call[PrometheusService], args: FindArgs) -> Result: ...

The JSON Schema a client sees is written from the struct's fields: ``Meta(description=, ge=, le=)``, ``Literal`` for
enums, defaults, and ``T | UnsetType = UNSET`` for optional arguments without a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cloud_native_mcp.contract.result import Budget

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.effect import Effect, Freshness, TimeoutClass, Toolset
    from cloud_native_mcp.contract.result import Result


class Args(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all argument structs."""


class NoArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a tool that takes none."""


ArgsT = TypeVar("ArgsT", bound=Args)


@dataclass(frozen=True, slots=True)
class Tool:
    """One declared tool.

    Attributes:
        name: without the service's prefix (``find`` of ``prometheus`` is listed as ``prometheus_find``).
        effect: the least effect; ``effect_of`` may raise it for given arguments, never lower it.
        waits: for timeout class ``long``: the argument that says how many seconds the tool waits.
        all_targets: whether ``target=*`` asks every target.
        core_when_several: an extended tool that is core when several targets are configured.
        has_target: whether it is about one of the service's targets at all.
        untrusted: whether the answer holds text that others wrote.
        own_errors: codes only this tool uses, with their meaning.
        schema: for raw tools, the given JSON Schema; ``args`` is then unused and ``run`` gets a dict.
    """

    name: str
    description: str
    run: Callable[[Call[Any], Any], Awaitable[Result]]
    effect: Effect
    args: type[Args] = NoArgs
    schema: Mapping[str, object] | None = None
    effect_of: Callable[[Any], Effect] | None = None
    toolset: Toolset = "extended"
    freshness: Freshness = "live"
    timeout: TimeoutClass = "quick"
    waits: str = ""
    budget: Budget = field(default_factory=Budget)
    untrusted: bool = False
    all_targets: bool = False
    core_when_several: bool = False
    has_target: bool = True
    idempotent: bool = True
    open_world: bool = False
    own_errors: Mapping[str, str] = field(default_factory=dict[str, str])


def tool(
    name: str,
    *,
    args: type[ArgsT],
    effect: Effect,
    description: str,
    effect_of: Callable[[ArgsT], Effect] | None = None,
    toolset: Toolset = "extended",
    freshness: Freshness = "live",
    timeout: TimeoutClass = "quick",
    waits: str = "",
    budget: Budget | None = None,
    untrusted: bool = False,
    all_targets: bool = False,
    core_when_several: bool = False,
    has_target: bool = True,
    idempotent: bool = True,
    open_world: bool = False,
    own_errors: Mapping[str, str] | None = None,
) -> Callable[[Callable[[Call[Any], ArgsT], Awaitable[Result]]], Tool]:
    """Declare the decorated function as a tool; see `Tool` for the meaning of each argument."""

    def declare(run: Callable[[Call[Any], ArgsT], Awaitable[Result]]) -> Tool:
        return Tool(
            name=name,
            description=description,
            run=run,
            effect=effect,
            args=args,
            effect_of=effect_of,
            toolset=toolset,
            freshness=freshness,
            timeout=timeout,
            waits=waits,
            budget=budget or Budget(),
            untrusted=untrusted,
            all_targets=all_targets,
            core_when_several=core_when_several,
            has_target=has_target,
            idempotent=idempotent,
            open_world=open_world,
            own_errors=own_errors or {},
        )

    return declare


FREE_TEXT = {"free_text": True}
"""``Meta(extra=FREE_TEXT)``: an argument people search with; bidi and zero-width characters are allowed in it."""

JSON_TEXT = {"free_text": True, "json_text": True}
"""``Meta(extra=JSON_TEXT)``: a document as text (YAML or JSON); an object given in its place is taken as its JSON."""
