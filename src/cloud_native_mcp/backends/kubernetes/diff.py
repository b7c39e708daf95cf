"""Differences of two objects, without what the server keeps for itself; values of Secrets as digests."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.response.document import dump_yaml
from cloud_native_mcp.response.objects import LAST_APPLIED, mask_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SERVER_SET: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)


def comparable(obj: Mapping[str, object], *, status: bool = False) -> dict[str, object]:
    """The object without the metadata that the server sets, and (unless asked for) without its status."""
    metadata = {key: value for key, value in as_dict(obj.get("metadata")).items() if key not in _SERVER_SET}
    annotations = {k: v for k, v in as_dict(metadata.pop("annotations", None)).items() if k != LAST_APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    first = {key: obj[key] for key in ("apiVersion", "kind") if key in obj} | {"metadata": metadata}
    return first | {key: value for key, value in obj.items() if key not in first and (status or key != "status")}


def unified(
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    digest: Callable[[bytes], str],
    context: int = 3,
    titles: tuple[str, str] = ("before", "after"),
    status: bool = False,
) -> str:
    """A unified diff of their YAML; empty when nothing that a user sets differs.

    Args:
        digest: short keyed digest, shown in place of secret values: it tells that one changed, not what it is.
    """
    old, new = (
        dump_yaml(mask_object(comparable(one, status=status), digest)).splitlines() if one else []
        for one in (before, after)
    )
    return "\n".join(difflib.unified_diff(old, new, *titles, n=context, lineterm=""))
