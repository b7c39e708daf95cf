"""Calls that would change the ledger, and whether it is as it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.samples.ledger.service import LedgerService
    from tests.transport.wire import Json

CHANGES: Final[tuple[tuple[str, Json], ...]] = (
    ("ledger_add", {"what": "a gift"}),
    ("ledger_add", {"what": "a gift", "replace": True}),
    ("ledger_remove", {"number": 1}),
    ("ledger_remove", {"number": 1, "confirm": "0123456789"}),
)


def untouched(ledger: LedgerService, *, entries: int = 3) -> bool:
    """Whether every book holds exactly what it began with."""
    return all(
        book.last == entries and [entry.what for entry in book.entries.values()] == _beginning(entries)
        for book in ledger.books.values()
    )


def _beginning(entries: int) -> list[str]:
    return [f"entry {number + 1}" for number in range(entries)]
