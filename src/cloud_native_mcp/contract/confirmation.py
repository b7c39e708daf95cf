"""Two steps for what cannot be undone: a tool first answers its plan, and acts only when that plan is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import UnsetType

    from cloud_native_mcp.contract.result import Block, Result


@dataclass(frozen=True, slots=True)
class Plan:
    """What a destroy tool would do.

    Attributes:
        header: one line in the conditional: ``would delete 3 pods in namespace shop on prod``.
        blocks: what it is about, as the answer shows it.
        subjects: what the confirmation is bound to: each object by uid and resourceVersion, in any order. When these
            differ at the second step, nothing is done.
        notes: consequences worth a line each (what stays behind, how to undo it).
    """

    header: str
    blocks: Sequence[Block]
    subjects: Sequence[str]
    notes: Sequence[str] = ()


class Confirmations(Protocol):
    """Decides whether a plan may be carried out now."""

    def settle(self, plan: Plan, code: str | UnsetType) -> Result | None:
        """None when the plan is confirmed; else the answer that shows it, with the code that confirms it.

        A code is bound to caller, tool, target, arguments and the plan's subjects, and valid for ten minutes.

        Raises:
            ToolError: ``plan_changed`` for a code that does not belong to this plan, or is too old.
        """
        ...
