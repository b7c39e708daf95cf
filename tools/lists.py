"""The tool lists clients see, per mode: what golden files, schema lint and the pages about tools are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from cloud_native_mcp.contract.effect import Effect, Toolset
from cloud_native_mcp.errors import ServiceDefinitionError
from cloud_native_mcp.manager.discovery import discover
from cloud_native_mcp.manager.loading import load_tools
from cloud_native_mcp.routing.catalogue import Catalogue, entries_of
from cloud_native_mcp.routing.permissions.rights import UNLIMITED
from cloud_native_mcp.routing.request import AGGREGATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.service import ServiceSpec
    from cloud_native_mcp.contract.tool import Tool

WireTool = dict[str, object]
READ: Final = frozenset({Effect.READ})
ALL: Final = frozenset(Effect)
DEFAULT_MODE: Final = "core.read"


@dataclass(frozen=True, slots=True)
class LoadedService:
    """A service and its declared tools."""

    spec: ServiceSpec
    tools: Sequence[Tool]

    @property
    def has_backends(self) -> bool:
        """Whether the service stands before something that can fail."""
        return bool(self.spec.target_noun)


def services() -> list[LoadedService]:
    """Every service of the distribution, in list order.

    Raises:
        ServiceDefinitionError: a service cannot be imported.
    """
    found = discover()
    if broken := [f"{service.spec.name}: {service.failure}" for service in found if service.failure]:
        raise ServiceDefinitionError("; ".join(broken))
    return [LoadedService(service.spec, load_tools(service)) for service in found]


def catalogue(*, effects: frozenset[Effect] = ALL, toolset: Toolset = "extended", targets: int = 1) -> Catalogue:
    """The catalogue as it is when every service runs with so many targets."""
    names = ("main", "other", "third")[:targets]
    entries = [
        entry
        for service in services()
        for entry in entries_of(service.spec, service.tools, names if service.has_backends else ())
    ]
    return Catalogue(entries, effects=effects, toolset=toolset)


def tool_lists() -> Mapping[str, list[WireTool]]:
    """The list of every mode, by the mode's name.

    The aggregate endpoint by toolset and effects, with one target each and with several; and each service's endpoint.
    """
    everything = catalogue()
    lists = {
        DEFAULT_MODE: _wire(catalogue(effects=READ, toolset="core"), AGGREGATE),
        "core.all-effects": _wire(catalogue(toolset="core"), AGGREGATE),
        "extended.read": _wire(catalogue(effects=READ), AGGREGATE),
        "extended.all-effects": _wire(everything, AGGREGATE),
        "core.read.several-targets": _wire(catalogue(effects=READ, toolset="core", targets=2), AGGREGATE),
        "extended.all-effects.several-targets": _wire(catalogue(targets=2), AGGREGATE),
    }
    for endpoint in everything.endpoints:
        if endpoint != AGGREGATE:
            lists[f"service.{endpoint}"] = _wire(everything, endpoint)
    return lists


def tokens(tools: Sequence[WireTool]) -> int:
    """Estimate what a list costs a model: a quarter of its bytes in compact JSON."""
    return len(orjson.dumps(tools)) // 4


def _wire(source: Catalogue, endpoint: str) -> list[WireTool]:
    return [dict(tool) for tool in source.list_of(endpoint, UNLIMITED).tools]
