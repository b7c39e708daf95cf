"""The section types of all services that can be imported: for the schema and the documentation of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.manager.isolation import ServiceFailed, isolated
from cloud_native_mcp.manager.loading import load_config_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.contract.configuration import ServiceConfig
    from cloud_native_mcp.manager.discovery import Discovered


def config_types(discovered: Iterable[Discovered]) -> dict[str, type[ServiceConfig]]:
    """The type of each service's section by its name; a service that cannot be imported is left out."""
    types: dict[str, type[ServiceConfig]] = {}
    for found in discovered:
        if found.failure:
            continue
        try:
            types[found.spec.name] = isolated(lambda found=found: load_config_type(found))
        except ServiceFailed:
            continue
    return types
