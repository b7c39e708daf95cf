"""What changes between two manifests of a release, object by object."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.backends.kubernetes.diff import unified
from cloud_native_mcp.contract.result import Table, Text
from cloud_native_mcp.response.document import dump_yaml
from cloud_native_mcp.services.helm.releases.values import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument

    Key = tuple[str, str, str, str]

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not the same: ``before`` is empty for an added one, ``after`` for a removed one."""

    label: str
    kind: Kind
    before: Mapping[str, object]
    after: Mapping[str, object]


def differences(before: Sequence[ReleaseDocument], after: Sequence[ReleaseDocument]) -> list[Difference]:
    """What is added, removed and changed, in the order of the second manifest, removed ones last."""
    old, new = _by_key(before), _by_key(after)
    found: list[Difference] = []
    for key, document in new.items():
        known = old.get(key)
        if known is None:
            found.append(Difference(document.label, "added", {}, document.object))
        elif known.object != document.object:
            found.append(Difference(document.label, "changed", known.object, document.object))
    return found + [
        Difference(document.label, "removed", document.object, {}) for key, document in old.items() if key not in new
    ]


def values_difference(
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    *,
    digest: Callable[[bytes], str],
    context: int = 3,
    titles: tuple[str, str],
) -> str:
    """A unified diff of the users' values, secret ones as digests; empty when they are the same."""
    old, new = (dump_yaml(without_secrets(one, digest)).splitlines() if one else [] for one in (before, after))
    return "\n".join(difflib.unified_diff(old, new, *titles, n=context, lineterm=""))


def counted(found: Sequence[Difference]) -> str:
    """``2 added, 1 changed, 0 removed``."""
    kinds: tuple[Kind, ...] = ("added", "changed", "removed")
    return ", ".join(f"{sum(one.kind == kind for one in found)} {kind}" for kind in kinds)


def summary(found: Sequence[Difference]) -> Table:
    """A row for each object."""
    rows = [(one.label, one.kind) for one in found]
    return Table(("OBJECT", "CHANGE"), rows, untrusted=True, source="objects")


def diff_blocks(
    found: Sequence[Difference], *, digest: Callable[[bytes], str], context: int = 3, titles: tuple[str, str], room: int
) -> list[Block]:
    """A unified diff for each object as long as there is room, then a table of the others.

    Args:
        room: bytes for the diffs.
    """
    blocks: list[Block] = []
    left: list[Difference] = []
    for one in found:
        text = unified(one.before, one.after, digest=digest, context=context, titles=titles)
        size = len(text.encode()) + 200
        if size <= room:
            room -= size
            blocks.append(Text(text, title=f"{one.label}: {one.kind}", untrusted=True, source="diff"))
        else:
            left.append(one)
    return [*blocks, summary(left)] if left else blocks


def _by_key(documents: Sequence[ReleaseDocument]) -> dict[Key, ReleaseDocument]:
    return {
        (one.api_version.rpartition("/")[0], one.kind, one.namespace, one.name): one
        for one in documents
        if one.object and one.name
    }
