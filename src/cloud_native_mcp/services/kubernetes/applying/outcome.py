"""What a write did to one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.backends.kubernetes.diff import unified
from cloud_native_mcp.contract.result import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Change = Literal["created", "configured", "unchanged"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One written object: what became of it, the difference, and the server's warnings."""

    label: str
    change: Change
    difference: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def block(self) -> Text | None:
        """The difference as the answer shows it."""
        return Text(self.difference, title=self.label, untrusted=True, source="diff") if self.difference else None


def outcome_of(
    label: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    digest: Callable[[bytes], str],
    warnings: tuple[str, ...] = (),
    context: int = 3,
    status: bool = False,
) -> Outcome:
    """Compare an object with what it was; ``before`` is empty for one that was not there.

    Args:
        status: whether the status counts too.
    """
    difference = unified(before, after, digest=digest, context=context, status=status)
    change: Change = "created" if not before else "configured" if difference else "unchanged"
    return Outcome(label, change, difference, warnings)
