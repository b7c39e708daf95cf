"""Patch documents as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str
from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.writes import PatchType

MAX_BYTES: Final = 128_000
_OPERATIONS: Final = frozenset({"add", "remove", "replace", "move", "copy", "test"})


def patch_document(text: str, kind: PatchType, *, resource_version: str = "") -> object:
    """The patch in a text: a list of operations for ``json`` (RFC 6902), else an object.

    Args:
        resource_version: the version the object must still have; made part of the patch.

    Raises:
        InvalidArgument: ``invalid_patch``.
    """
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise InvalidArgument("patch", f"has {size:,} bytes, at most {MAX_BYTES:,}; use kubernetes_apply")
    try:
        value = load_one(text, field="patch")
    except InvalidArgument as error:
        raise InvalidArgument("patch", error.text.removeprefix("patch: "), code="invalid_patch") from None
    return _operations(value, resource_version) if kind == "json" else _merge(value, resource_version)


def _operations(value: object, resource_version: str) -> list[object]:
    operations = as_list(value)
    if not operations:
        raise _invalid("a json patch is a list of operations, as in [{op: replace, path: /spec/x, value: 1}]")
    for index, operation in enumerate(operations):
        fields = as_dict(operation)
        if as_str(fields.get("op")) not in _OPERATIONS:
            raise _invalid(f"operation {index}: op is none of {', '.join(sorted(_OPERATIONS))}")
        if not isinstance(fields.get("path"), str) or not as_str(fields["path"]).startswith("/"):
            raise _invalid(f"operation {index}: path must be a JSON pointer that starts with /")
    if resource_version:
        guard: dict[str, object] = {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version}
        return [guard, *operations]
    return operations


def _merge(value: object, resource_version: str) -> dict[str, object]:
    patch = as_dict(value)
    if not patch:
        raise _invalid("the patch must be an object with the fields to change; a list needs patch_type json")
    if resource_version:
        metadata = {**as_dict(patch.get("metadata")), "resourceVersion": resource_version}
        return {**patch, "metadata": metadata}
    return patch


def _invalid(text: str) -> InvalidArgument:
    return InvalidArgument("patch", text, code="invalid_patch")
