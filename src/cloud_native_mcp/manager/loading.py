"""Imports the parts of a service that its spec names."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.configuration import ServiceConfig
from cloud_native_mcp.contract.tool import Tool
from cloud_native_mcp.errors import ServiceDefinitionError

if TYPE_CHECKING:
    from cloud_native_mcp.contract.service import Start
    from cloud_native_mcp.manager.discovery import Discovered


def load_config_type(discovered: Discovered) -> type[ServiceConfig]:
    """The type of a service's section.

    Raises:
        ServiceDefinitionError: it is missing or no `ServiceConfig`. An import may raise anything else.
    """
    found = _named(discovered, discovered.spec.config)
    if not isinstance(found, type) or not issubclass(found, ServiceConfig):
        raise ServiceDefinitionError(f"{discovered.spec.name}: {discovered.spec.config} is no ServiceConfig")
    return found


def load_start(discovered: Discovered) -> Start:
    """The function that starts a service; raises as `load_config_type` does."""
    found = _named(discovered, discovered.spec.start)
    if not callable(found):
        raise ServiceDefinitionError(f"{discovered.spec.name}: {discovered.spec.start} cannot be called")
    return cast("Start", found)


def load_tools(discovered: Discovered) -> tuple[Tool, ...]:
    """The tools of a service in list order; raises as `load_config_type` does."""
    tools: list[Tool] = []
    for module in discovered.spec.tools:
        held = _named(discovered, f"{module}:TOOLS")
        if not isinstance(held, tuple):
            raise ServiceDefinitionError(f"{discovered.spec.name}: {module}.TOOLS is no tuple")
        for tool in cast("tuple[object, ...]", held):
            if not isinstance(tool, Tool):
                raise ServiceDefinitionError(f"{discovered.spec.name}: {module}.TOOLS holds a {type(tool).__name__}")
            tools.append(tool)
    return tuple(tools)


def _named(discovered: Discovered, reference: str) -> object:
    """What ``module:name`` means inside the service's package."""
    module, _, name = reference.partition(":")
    found: object = getattr(importlib.import_module(f"{discovered.package}.{module}"), name, None)
    if found is None:
        raise ServiceDefinitionError(f"{discovered.spec.name}: there is no {reference}")
    return found
