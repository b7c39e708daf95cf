"""The fixture services: one per service of the design, their tools declared with real argument structs.

The structs are made from the JSON Schemas, so that a call passes the same argument check as a real tool's.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bench.engine.catalogue import ANSWER, ToolJson, load
from cloud_native_mcp.contract.configuration import ServiceConfig
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str
from cloud_native_mcp.contract.result import Result, Text
from cloud_native_mcp.contract.service import Probe, ServiceContext, ServiceSpec
from cloud_native_mcp.contract.tool import Args, Tool
from cloud_native_mcp.manager.discovery import Discovered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.deadline import Deadline

_SCALARS: Mapping[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


class FixtureConfig(ServiceConfig):
    """Always on."""

    @property
    def wanted(self) -> bool:
        """Fixtures always run."""
        return True


class FixtureService:
    """Has two targets, so that every tool lists its ``target`` as in the design."""

    targets = ("main", "other")

    async def probe(self, target: str, deadline: Deadline) -> Probe:
        """Always there."""
        del target, deadline
        return Probe(version="1")

    async def close(self) -> None:
        """Nothing to release."""


async def start(context: ServiceContext[object]) -> FixtureService:
    """Start one fixture service."""
    del context
    return FixtureService()


async def answer(call: Call[FixtureService], args: Args) -> Result:
    """Answer the fixed text."""
    del call, args
    return Result(blocks=[Text(ANSWER)])


def discovered() -> tuple[Discovered, ...]:
    """The fixture services, each a module made on the spot."""
    return tuple(_service(name, tools) for name, tools in load().items())


def configs(services: Sequence[Discovered]) -> dict[str, ServiceConfig]:
    """Their sections."""
    return {service.spec.name: FixtureConfig() for service in services}


def _service(name: str, tools: list[ToolJson]) -> Discovered:
    package = f"bench_fixture_{name}"
    module = types.ModuleType(f"{package}.tools")
    module.__dict__.update(TOOLS=tuple(_tool(name, tool) for tool in tools), start=start)
    sys.modules[package] = types.ModuleType(package)
    sys.modules[f"{package}.tools"] = module
    spec = ServiceSpec(
        name=name, title=name, summary=name, config="tools:FixtureConfig", start="tools:start", tools=("tools",)
    )
    return Discovered(spec, package)


def _tool(service: str, tool: ToolJson) -> Tool:
    hints = tool["annotations"]
    effect = Effect.READ if hints["readOnlyHint"] else Effect.DESTROY if hints["destructiveHint"] else Effect.WRITE
    return Tool(
        name=tool["name"].removeprefix(f"{service}_"),
        description=tool["description"],
        run=answer,
        effect=effect,
        args=_arguments(tool),
        idempotent=hints["idempotentHint"],
        open_world=hints["openWorldHint"],
    )


def _arguments(tool: ToolJson) -> type[Args]:
    """The argument struct a tool's schema describes, without ``target`` (the catalogue adds it)."""
    properties = as_dict(tool["inputSchema"]["properties"])
    required = {as_str(name) for name in as_list(tool["inputSchema"].get("required"))}
    fields = [_field(name, as_dict(p), required=name in required) for name, p in properties.items() if name != "target"]
    made = msgspec.defstruct(tool["name"], fields, bases=(Args,), frozen=True, kw_only=True, forbid_unknown_fields=True)
    return cast("type[Args]", made)


def _field(name: str, declared: Mapping[str, object], *, required: bool) -> tuple[str, Any] | tuple[str, Any, Any]:
    low, high = (cast("float | None", declared.get(bound)) for bound in ("minimum", "maximum"))
    hint: Any = Annotated[_type(declared), Meta(description=as_str(declared["description"]), ge=low, le=high)]
    attribute = f"{name}_" if name in {"from", "type", "match"} else name
    if required:
        return (attribute, hint, msgspec.field(name=name))
    if "default" in declared:
        return (attribute, hint, msgspec.field(name=name, default=declared["default"]))
    return (attribute, hint | UnsetType, msgspec.field(name=name, default=UNSET))


def _type(declared: Mapping[str, object]) -> Any:  # noqa: ANN401 - a type made at run time
    if declared["type"] == "array":
        return list[_type(as_dict(declared["items"]))]
    if choices := tuple(as_list(declared.get("enum"))):
        return Literal[choices]
    return _SCALARS[as_str(declared["type"])]
