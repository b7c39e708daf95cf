"""A resolver whose answers a test decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Names:
    """Answers from a table; a name given several lists answers the next one each time, and stays at the last.

    Attributes:
        asked: the names asked for so far.
    """

    def __init__(self, table: Mapping[str, Sequence[str] | Sequence[Sequence[str]]]) -> None:
        self._table = table
        self.asked: list[str] = []

    async def resolve(self, host: str) -> Sequence[str]:
        """Addresses of the name; `OSError` when it is not in the table."""
        self.asked.append(host)
        answers = self._table.get(host)
        if not answers:
            raise OSError(f"{host} is not known")
        lists = [[answer] if isinstance(answer, str) else list(answer) for answer in answers]
        if all(isinstance(answer, str) for answer in answers):
            return [address for one in lists for address in one]
        return lists[min(self.asked.count(host), len(lists)) - 1]
