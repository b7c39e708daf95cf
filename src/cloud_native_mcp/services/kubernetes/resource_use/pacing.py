"""Long loops that let others have their turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

ItemT = TypeVar("ItemT")
STEP: Final = 500


async def unhurried(items: Iterable[ItemT]) -> AsyncIterator[ItemT]:
    """The items, with a pause for others after every `STEP` of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % STEP == 0:
            await asyncio.sleep(0)
