"""Waiting for several pieces of work that stand or fall together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

ValueT = TypeVar("ValueT")


async def together(*work: Coroutine[object, object, ValueT]) -> list[ValueT]:
    """All results, in order. When one fails, or the caller is cancelled, the others are cancelled and waited for.

    Raises:
        Exception: the first error, as it is (`asyncio.TaskGroup` would wrap it; `asyncio.gather` would let the others
            run on unowned).
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
