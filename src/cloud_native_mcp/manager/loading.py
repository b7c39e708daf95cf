"""Imports what a service's spec names, once the service is wanted."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.configuration import ServiceConfig
from cloud_native_mcp.contract.tool import Tool
from cloud_native_mcp.errors import ServiceDefinitionError

if TYPE_CHECKING:
    from cloud_native_mcp.contract.service import Start
    from cloud_native_mcp.manager.discovery import Discovered


def load_tools(found: Discovered) -> tuple[Tool, ...]:
    """The tools of a service, in list order.

    Raises:
        ServiceDefinitionError: a module has no tuple ``TOOLS``.
    """
    tools: list[Tool] = []
    for module in found.spec.tools:
        declared = _attribute(found, f"{module}:TOOLS")
        if not isinstance(declared, tuple) or not all(isinstance(one, Tool) for one in cast("tuple[object]", declared)):
            raise ServiceDefinitionError(f"{found.package}.{module}: TOOLS must be a tuple of tools")
        tools += cast("tuple[Tool, ...]", declared)
    return tuple(tools)


def load_config_type(found: Discovered) -> type[ServiceConfig]:
    """The type of the service's section of the configuration."""
    declared = _attribute(found, found.spec.config)
    if not isinstance(declared, type) or not issubclass(declared, ServiceConfig):
        raise ServiceDefinitionError(f"{found.package}: {found.spec.config} is no ServiceConfig")
    return declared


def load_start(found: Discovered) -> Start:
    """The function that starts the service."""
    declared = _attribute(found, found.spec.start)
    if not callable(declared):
        raise ServiceDefinitionError(f"{found.package}: {found.spec.start} is no function")
    return cast("Start", declared)


def _attribute(found: Discovered, name: str) -> object:
    """What a spec's ``module:attribute`` names."""
    module, _, attribute = name.partition(":")
    loaded = importlib.import_module(f"{found.package}.{module}")
    if not hasattr(loaded, attribute):
        raise ServiceDefinitionError(f"{found.package}.{module} has no {attribute}")
    return getattr(loaded, attribute)
