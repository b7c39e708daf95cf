"""The JSON Schema of the whole configuration file, for editors and checks outside this server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic.json_schema import models_json_schema

from cloud_native_mcp.config.settings import ServerSections
from cloud_native_mcp.contract.json_values import as_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.contract.configuration import ServiceConfig


def json_schema(services: Mapping[str, type[ServiceConfig]]) -> dict[str, object]:
    """The schema of the server's sections and of one section per service."""
    models = [ServerSections, *services.values()]
    references, together = models_json_schema([(model, "validation") for model in models])
    definitions = as_dict(together.get("$defs"))
    own = as_dict(definitions.pop(ServerSections.__name__))
    sections = {name: dict(references[model, "validation"]) for name, model in services.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of cloud-native-mcp",
        "type": "object",
        "properties": as_dict(own["properties"]) | sections,
        "additionalProperties": False,
        "$defs": definitions,
    }
