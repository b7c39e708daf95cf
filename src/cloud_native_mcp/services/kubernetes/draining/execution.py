"""Evicting the pods of a node and waiting until they are gone."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.watch import follow
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.draining.sorting import label_of
from cloud_native_mcp.services.kubernetes.removal.eviction import blocked, evict, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.lists import ListQuery
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Progress
    from cloud_native_mcp.contract.deadline import Deadline

_PARALLEL: Final = 10
_RETRY_S: Final = 5.0
"""Between two tries of an eviction that a budget blocks; the API server names no time."""
EVICTED: Final = "evicted"
LEAVING: Final = "evicted, still terminating"


class Drain:
    """The evictions of one drain.

    Attributes:
        outcomes: what became of each pod so far, by label, in the order planned.
        unwatched: why the end of the pods could not be followed, when that is so.
    """

    def __init__(
        self,
        client: KubernetesClient,
        pods: Resource,
        planned: Sequence[ObjectMeta],
        *,
        grace_period_seconds: int | None,
        deadline: Deadline,
        progress: Progress,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.unwatched = ""
        self.outcomes: dict[str, str] = {label_of(pod): "not evicted yet" for pod in planned}
        self._client = client
        self._pods = pods
        self._planned = planned
        self._grace = grace_period_seconds
        self._deadline = deadline
        self._progress = progress
        self._pause = pause
        self._seats = asyncio.Semaphore(_PARALLEL)
        self._there: frozenset[str] | None = None
        self._all_sent = False

    @property
    def remaining(self) -> int:
        """Pods that are on the node still."""
        return sum(outcome not in {EVICTED, "already gone"} for outcome in self.outcomes.values())

    async def run(self, query: ListQuery, *, seconds: float) -> None:
        """Evict all planned pods and wait for their end, for so many seconds at most.

        Args:
            query: selects the pods of the node.
        """
        watching = asyncio.create_task(self._mark_gone(query))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await together(*(self._evict(pod) for pod in self._planned))
                    self._all_sent = True
                    if LEAVING in self.outcomes.values():
                        await watching
        finally:
            watching.cancel()
            await asyncio.wait((watching,))

    async def preview(self) -> list[tuple[str, str]]:
        """What budgets and policies would refuse now, by label; nothing is evicted."""

        async def one(pod: ObjectMeta) -> tuple[str, str]:
            async with self._seats:
                return label_of(pod), await self._try(pod, dry_run=True) or ""

        return [row for row in await together(*(one(pod) for pod in self._planned)) if row[1]]

    async def _evict(self, pod: ObjectMeta) -> None:
        label = label_of(pod)
        while True:
            async with self._seats:
                refused = await self._try(pod)
            if refused is None:
                return
            self.outcomes[label] = refused or (LEAVING if self._is_there(pod.uid) else EVICTED)
            await self._tell(label)
            if not refused.startswith("blocked"):
                return
            await self._pause(_RETRY_S)

    async def _try(self, pod: ObjectMeta, *, dry_run: bool = False) -> str | None:
        """One eviction: empty when it was accepted, else the refusal; None when the pod is gone already."""
        try:
            await evict(
                self._client,
                self._pods,
                pod,
                grace_period_seconds=self._grace,
                deadline=self._deadline,
                dry_run=dry_run,
            )
        except BackendError as error:
            if error.code == "not_found":
                self.outcomes[label_of(pod)] = "already gone"
                return None
            return f"{'blocked' if blocked(error) == 'for_now' else 'refused'}: {refusal(error)}"
        except ToolError as error:
            return f"refused: {error.code}: {error.text}"
        return ""

    async def _mark_gone(self, query: ListQuery) -> None:
        """Follow the pods of the node and note the end of those evicted, until it is known of all of them."""
        labels = {pod.uid: label_of(pod) for pod in self._planned}
        changes = follow(self._client, self._pods, query, deadline=self._deadline)
        try:
            async with contextlib.aclosing(changes):
                async for objects in changes:
                    self._there = frozenset(objects)
                    for label in [label for uid, label in labels.items() if uid not in objects]:
                        if self.outcomes[label] == LEAVING:
                            self.outcomes[label] = EVICTED
                            await self._tell(label)
                    if self._all_sent and LEAVING not in self.outcomes.values():
                        return
        except BackendError as error:
            self.unwatched = error.text

    def _is_there(self, uid: str) -> bool:
        """Whether a pod was on the node at the last look; without a look it was."""
        return self._there is None or uid in self._there

    async def _tell(self, label: str) -> None:
        total = len(self.outcomes)
        await self._progress(total - self.remaining, total, f"{label}: {self.outcomes[label]}")
