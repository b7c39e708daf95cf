"""Pages of rows that the backend gives whole: sorted here, and sliced."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Page
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import UnsetType

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import CursorState
    from cloud_native_mcp.services.prometheus.service import PrometheusService

RowT = TypeVar("RowT")


def resumed(call: Call[PrometheusService], cursor: str | UnsetType) -> int:
    """The number of rows that earlier pages showed.

    Raises:
        ToolError: ``invalid_cursor`` or ``expired_cursor``.
    """
    if not isinstance(cursor, str):
        return 0
    at = as_int(call.cursors.open(cursor).get("at"), -1)
    if at < 0:
        raise ToolError("invalid_cursor", "cursor: it holds no place in the list; list again without cursor")
    return at


def page_of(rows: Sequence[RowT], start: int, limit: int, *, narrow: str) -> tuple[Sequence[RowT], Page]:
    """The rows from ``start`` on, at most ``limit``, and how the list goes on."""
    shown = rows[start : start + limit]

    def resume(count: int) -> CursorState | None:
        return {"at": start + count} if start + count < len(rows) else None

    return shown, Page(resume=resume, total=len(rows), narrow=narrow)


def resumed_after(call: Call[PrometheusService], cursor: str | UnsetType) -> str:
    """The last name that earlier pages showed, or an empty text."""
    if not isinstance(cursor, str):
        return ""
    after = call.cursors.open(cursor).get("after")
    if not isinstance(after, str):
        raise ToolError("invalid_cursor", "cursor: it holds no place in the list; list again without cursor")
    return after


def page_after(names: Sequence[str], after: str, limit: int, *, narrow: str) -> tuple[Sequence[str], Page]:
    """The sorted names after one, at most ``limit``: names that come or go between pages shift nothing."""
    following = [name for name in names if name > after] if after else names
    shown = following[:limit]

    def resume(count: int) -> CursorState | None:
        return {"after": following[count - 1]} if 0 < count < len(following) else None

    return shown, Page(resume=resume, total=len(names), narrow=narrow)
