from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.service import Probe
from cloud_native_mcp.errors import BackendError, ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import ServiceContext
    from tests.samples.ledger.config import LedgerConfig

SHOP_TOKEN = "ghp_" + "a1B2" * 9
"""Looks like a credential; it must never reach a caller."""


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    what: str
    amount: int


@dataclass(slots=True)
class Book:
    """One ledger. ``down``: probes and reads fail as if it could not be reached."""

    entries: dict[int, Entry] = field(default_factory=dict[int, Entry])
    last: int = 0
    down: bool = False

    def add(self, what: str, amount: int) -> Entry:
        self.last += 1
        entry = Entry(self.last, what, amount)
        self.entries[entry.number] = entry
        return entry


class LedgerService:
    """The running service.

    ``waiting`` is set while a call of ``slow`` waits for ``gate``; ``cancelled`` counts the calls that were cancelled.
    """

    def __init__(self, books: dict[str, Book], digest: Callable[[bytes], str]) -> None:
        self.books = books
        self.digest = digest
        self.waiting = asyncio.Event()
        self.gate = asyncio.Event()
        self.cancelled = 0
        self.probes = 0
        self.closed = False

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.books)

    def book(self, target: str) -> Book:
        book = self.books[target]
        if book.down:
            raise BackendError("unreachable", f"ledger {target}: connection refused")
        return book

    async def probe(self, target: str, deadline: Deadline) -> Probe:
        self.probes += 1
        async with deadline.enforce():
            self.book(target)
        return Probe(version="1.2.3")

    async def close(self) -> None:
        self.closed = True


async def start(context: ServiceContext[LedgerConfig]) -> LedgerService:
    if context.config.refuse_start:
        raise ConfigError([Problem("ledger.refuse_start", "is set, password=hunter2-canary")])
    books: dict[str, Book] = {}
    for name, config in (context.config.targets or {"main": None}).items():
        books[name] = Book()
        for number in range(config.entries if config else 0):
            books[name].add(f"entry {number + 1}", 10 * number)
    return LedgerService(books, context.digest)
