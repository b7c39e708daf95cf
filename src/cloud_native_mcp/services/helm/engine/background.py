"""Changes that go on when their caller has gone: Helm must not be broken off in the middle of a release."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import logging
    from collections.abc import Coroutine

ResultT = TypeVar("ResultT")


class Background:
    """The changes under way on this node.

    ``broken_off`` are uids of revisions that a change of this node left pending: nothing is under way there.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self.broken_off: set[str] = set()
        self._tasks: set[asyncio.Task[object]] = set()

    async def follow(self, change: Coroutine[object, object, ResultT], *, name: str, seconds: float) -> ResultT | None:
        """The outcome of a change, or None when it is still under way after so many seconds.

        When the caller is cancelled, or the time is over, the change goes on to its own end; a failure is then logged.
        """
        task: asyncio.Task[ResultT] = asyncio.create_task(change, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            done, _ = await asyncio.wait([task], timeout=seconds)
        except asyncio.CancelledError:
            task.add_done_callback(self._report)
            raise
        if done:
            return task.result()
        task.add_done_callback(self._report)
        return None

    async def close(self) -> None:
        """End what is under way: Helm is told to end and marks the release as failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _report(self, task: asyncio.Task[ResultT]) -> None:
        if task.cancelled():
            self._log.warning("%s was ended with the server", task.get_name())
        elif (error := task.exception()) is not None:
            self._log.warning("%s failed after its caller had gone: %s", task.get_name(), type(error).__name__)
        else:
            self._log.info("%s finished after its caller had gone", task.get_name())
