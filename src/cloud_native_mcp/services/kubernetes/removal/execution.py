"""Deleting or evicting objects one by one, and what became of each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.contract.json_values import as_list, as_str, dig
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.removal.eviction import evict, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Progress
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.removal.selection import Victim

_PARALLEL: Final = 8
_TERMINATING: Final = "deletion begun"


class Removal:
    """How objects are removed from one cluster.

    Args:
        evict: by the Eviction API, which honours disruption budgets, instead of deleting.
    """

    def __init__(
        self,
        client: KubernetesClient,
        *,
        evict: bool,
        propagation: writes.Propagation,
        grace_period_seconds: int | None,
        deadline: Deadline,
    ) -> None:
        self._client = client
        self._evict = evict
        self._propagation: writes.Propagation = propagation
        self._grace = grace_period_seconds
        self._deadline = deadline
        self._seats = asyncio.Semaphore(_PARALLEL)

    async def run(self, victims: Sequence[Victim], progress: Progress) -> list[tuple[str, str]]:
        """Label and outcome of each object, in order."""
        done = 0

        async def one(victim: Victim) -> tuple[str, str]:
            nonlocal done
            async with self._seats:
                outcome = await self._outcome(victim)
            done += 1
            await progress(done, len(victims), f"{victim.label}: {outcome}")
            return victim.label, outcome

        return await together(*(one(victim) for victim in victims))

    async def _outcome(self, victim: Victim) -> str:
        try:
            return await (self._evicted(victim) if self._evict else self._deleted(victim))
        except BackendError as error:
            if error.code == "not_found":
                return "already gone"
            return f"refused: {refusal(error)}"
        except ToolError as error:
            return f"refused: {error.code}: {error.text}"

    async def _deleted(self, victim: Victim) -> str:
        written = await writes.delete(
            self._client,
            victim.resource,
            victim.metadata.name,
            namespace=victim.namespace,
            propagation=self._propagation,
            grace_period_seconds=self._grace,
            uid=victim.metadata.uid,
            deadline=self._deadline,
        )
        if written.object.get("kind") == "Status":
            return "deleted"
        return await self._now(victim)

    async def _evicted(self, victim: Victim) -> str:
        await evict(
            self._client, victim.resource, victim.metadata, grace_period_seconds=self._grace, deadline=self._deadline
        )
        return "evicted"

    async def _now(self, victim: Victim) -> str:
        """Some kinds answer a delete with the object, gone or not: whether it is there still, and what holds it."""
        try:
            obj = await self._client.get(
                victim.resource, victim.metadata.name, namespace=victim.namespace, deadline=self._deadline
            )
        except BackendError as error:
            if error.code != "not_found":
                raise
            return "deleted"
        if dig(obj, "metadata", "uid") != victim.metadata.uid:
            return "deleted"
        finalizers = [as_str(one) for one in as_list(dig(obj, "metadata", "finalizers"))]
        return f"waiting on finalizer {', '.join(finalizers)}" if finalizers else _TERMINATING
