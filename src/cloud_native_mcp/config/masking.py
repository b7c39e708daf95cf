"""The configuration as it may be shown: secrets masked where their type says so, and credentials in other texts too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.config.schema_walk import root
from cloud_native_mcp.response.mask import scrub

if TYPE_CHECKING:
    from cloud_native_mcp.config.schema_walk import Node
    from cloud_native_mcp.config.settings import Settings

MASK: Final = "***"


def shown(settings: Settings) -> dict[str, object]:
    """Every section with its defaults, in the form of the file, without a secret in it."""
    sections = {
        name: _masked(root(type(section)), section.model_dump(mode="json"))
        for name, section in settings.sections.items()
    }
    return sections | {"plugins": list(settings.plugins)}


def _masked(node: Node, value: object) -> object:
    if isinstance(value, str):
        return MASK if node.secret and value else scrub(value)
    if isinstance(value, dict):
        return {key: _masked(node.child(key), inner) for key, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_masked(node.child(index), inner) for index, inner in enumerate(cast("list[object]", value))]
    return value
