"""The tool catalogue: every tool of the running services, with its schema, and what each endpoint shows of it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.errors import ServiceDefinitionError, ToolError
from cloud_native_mcp.routing.arguments import shorten
from cloud_native_mcp.routing.request import AGGREGATE, ToolList
from cloud_native_mcp.routing.schema import Property, input_schema, properties_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.contract.effect import Toolset
    from cloud_native_mcp.contract.service import ServiceSpec
    from cloud_native_mcp.contract.tool import Tool
    from cloud_native_mcp.routing.permissions.rights import Rights

ALL_TARGETS = "*"
MOST_LISTS: Final = 256
"""Lists that are kept: one for each endpoint and rights."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool of one running service.

    ``targets`` are the service's, the default one first, or none for a tool that is about no target; ``target`` is a
    property of the schema only when there are several, but is accepted when it names the only one.
    """

    name: str
    service: str
    tool: Tool
    targets: tuple[str, ...]
    properties: Mapping[str, Property]
    wire: Mapping[str, object]
    by_namespace: bool = False

    @property
    def core(self) -> bool:
        """Whether the aggregate endpoint lists the tool without being asked."""
        return self.tool.toolset == "core" or (self.tool.core_when_several and len(self.targets) > 1)

    @property
    def plans(self) -> bool:
        """Whether the tool shows a plan before it acts."""
        return "confirm" in self.properties

    @property
    def schema(self) -> Mapping[str, object]:
        """The input schema as clients see it."""
        return as_dict(self.wire["inputSchema"])


def entries_of(spec: ServiceSpec, tools: Sequence[Tool], targets: tuple[str, ...]) -> tuple[Entry, ...]:
    """The catalogue entries of one service.

    Raises:
        ServiceDefinitionError: a tool's name or an argument breaks the schema rules, or a name is used twice.
    """
    entries = tuple(_entry(spec, tool, targets if tool.has_target else ()) for tool in tools)
    names = [entry.name for entry in entries]
    if len(set(names)) < len(names):
        raise ServiceDefinitionError(f"service {spec.name} declares a tool twice: {sorted(names)}")
    return entries


class Catalogue:
    """All entries in list order, and the views of the endpoints on them."""

    def __init__(self, entries: Sequence[Entry], *, effects: frozenset[Effect], toolset: Toolset) -> None:
        self.effects = effects
        self._toolset = toolset
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise ServiceDefinitionError("two services declare a tool of the same name")
        self.endpoints = (AGGREGATE, *dict.fromkeys(entry.service for entry in entries))
        self._lists: OrderedDict[tuple[str, str], ToolList] = OrderedDict()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def list_of(self, endpoint: str, rights: Rights) -> ToolList:
        """The tools an endpoint lists to callers with these rights; the order is fixed."""
        key = (endpoint, rights.digest)
        found = self._lists.get(key)
        if found is None:
            found = self._lists[key] = self._list(endpoint, rights)
            if len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)
        return found

    def resolve(self, endpoint: str, name: str, rights: Rights) -> Entry:
        """The entry that a call by a caller with these rights means.

        Raises:
            ToolError: ``unknown_tool``, with the same text for absent and not permitted.
        """
        entry = self.find(endpoint, name)
        if entry is None or not rights.knows(entry):
            raise ToolError("unknown_tool", f"unknown tool {shorten(name)}")
        return entry

    def find(self, endpoint: str, name: str) -> Entry | None:
        """The entry of that name at the endpoint, or None."""
        entry = self._entries.get(name)
        return entry if entry is not None and endpoint in (AGGREGATE, entry.service) else None

    def _list(self, endpoint: str, rights: Rights) -> ToolList:
        tools = [one.wire for one in self._entries.values() if self._listed(one, endpoint) and rights.lists(one)]
        return ToolList(digest=hashlib.sha256(orjson.dumps(tools)).hexdigest()[:16], tools=tools)

    def _listed(self, entry: Entry, endpoint: str) -> bool:
        if entry.tool.effect not in self.effects:
            return False
        if endpoint == AGGREGATE:
            return entry.core or self._toolset == "extended"
        return entry.service == endpoint


def _entry(spec: ServiceSpec, tool: Tool, targets: tuple[str, ...]) -> Entry:
    name = f"{spec.name}_{tool.name}"
    if len(name) > 40 or not 0 < len(tool.description) <= 300:
        raise ServiceDefinitionError(f"{name}: a name has 40 characters at most, a description 1 to 300")
    properties = () if tool.schema is not None else properties_of(tool.args)
    shown = properties + ((_target(spec, tool),) if len(targets) > 1 else ())
    return Entry(
        name=name,
        service=spec.name,
        tool=tool,
        targets=targets,
        properties={p.name: p for p in shown},
        wire=_wire(name, tool, shown),
        by_namespace=spec.by_namespace,
    )


def _target(spec: ServiceSpec, tool: Tool) -> Property:
    default = "or * for all; omit for the default" if tool.all_targets else "omit for the default"
    separator = ", " if tool.all_targets else "; "
    return Property(name="target", type="string", description=f"{spec.target_noun} name{separator}{default}")


def _wire(name: str, tool: Tool, properties: tuple[Property, ...]) -> dict[str, object]:
    schema = dict(tool.schema) if tool.schema is not None else input_schema(properties)
    return {
        "name": name,
        "description": tool.description,
        "inputSchema": schema,
        "annotations": {
            "readOnlyHint": tool.effect is Effect.READ,
            "destructiveHint": tool.effect is Effect.DESTROY,
            "idempotentHint": tool.idempotent,
            "openWorldHint": tool.open_world,
        },
    }
