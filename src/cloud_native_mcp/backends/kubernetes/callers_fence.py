"""The rights of the caller as a fence within the operator's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.fence import Fence, FenceRule
from cloud_native_mcp.contract.rights import ObjectRights, current_rights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.contract.rights import ObjectRule


def within_rights(fence: Fence, target: str) -> Fence:
    """The operator's fence as it is, or with the rules that the call which runs now is held to on that cluster."""
    rights = current_rights()
    if rights is None:
        return fence
    objects = rights.of(target)
    return fence if objects is None else _fence_of(objects).within(fence)


@lru_cache(maxsize=256)
def _fence_of(objects: ObjectRights) -> Fence:
    return Fence(_rules(objects.allow), _rules(objects.deny), setting=objects.whose)


def _rules(rules: Iterable[ObjectRule]) -> list[FenceRule]:
    return [FenceRule(rule.namespaces, rule.kinds, rule.verbs) for rule in rules]
