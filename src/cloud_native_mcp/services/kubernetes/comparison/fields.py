"""What two objects are compared by: what a user set in them, wherever they are; and where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.services.kubernetes.inspection.documents import exported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def portable(obj: Mapping[str, object]) -> dict[str, object]:
    """The object without what the server set, and without its name and namespace, which are what is compared."""
    kept = exported(obj)
    metadata = {k: v for k, v in as_dict(kept.get("metadata")).items() if k not in {"name", "namespace"}}
    return {**kept, "metadata": metadata}


def differing(one: object, other: object, path: str = "") -> Iterator[str]:
    """The paths of the fields that differ, as deep as both have them: ``spec.containers[0].image``."""
    if isinstance(one, dict) and isinstance(other, dict):
        first, second = cast("dict[str, object]", one), cast("dict[str, object]", other)
        for key in dict.fromkeys([*first, *second]):
            yield from differing(first.get(key), second.get(key), f"{path}.{key}" if path else key)
    elif (
        isinstance(one, list)
        and isinstance(other, list)
        and len(cast("list[object]", one)) == len(cast("list[object]", other))
    ):
        pairs = zip(cast("list[object]", one), cast("list[object]", other), strict=True)
        for index, (left, right) in enumerate(pairs):
            yield from differing(left, right, f"{path}[{index}]")
    elif one != other:
        yield path
