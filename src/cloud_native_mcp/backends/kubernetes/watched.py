"""Objects of chosen kinds, kept current by a watch: for readers that look at all of them again and again.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from cloud_native_mcp.backends.kubernetes.fence import DENIED
from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.watch import follow_as
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.json_values import dig
from cloud_native_mcp.errors import BackendError, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
    from cloud_native_mcp.backends.kubernetes.resources import Resource

logger = logging.getLogger(__name__)

WINDOW_S: Final = 60.0
"""After which a watch is opened anew: what is kept is never older than this, even when a connection fell silent."""
_LONGEST_S: Final = 86_400.0
"""After which all is listed anew."""
_AGAIN_S: Final = 5.0
"""Between attempts to list a kind that could not be listed."""
_REFUSED_S: Final = 300.0
"""Between attempts where the cluster or the operator says no."""
_REFUSED: Final = frozenset({"forbidden", "unauthorized", DENIED})


class HasMetadata(Protocol):
    """An object with metadata."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its metadata."""
        ...


ShapeT = TypeVar("ShapeT", bound=HasMetadata)


class _Store(Generic[ShapeT]):
    """One kind in one shape; ``objects`` is None until it is listed, and while it cannot be."""

    def __init__(self, client: KubernetesClient, resource: Resource, shape: type[ShapeT], field_selector: str) -> None:
        self.client = client
        self.objects: dict[str, ShapeT] | None = None
        self._resource = resource
        self._shape = shape
        self._query = ListQuery(None, field_selector=field_selector)
        # In a context of its own: it serves all callers, and outlives the one that began it.
        self._task = asyncio.create_task(
            self._keep(), name=f"watch {resource.display} of {client.name}", context=contextvars.Context()
        )

    async def close(self) -> None:
        """End the watch."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            pause = _AGAIN_S
            try:
                await self._follow()
            except ToolError as error:
                self.objects = None
                pause = _REFUSED_S if error.code in _REFUSED else _AGAIN_S
                logger.info("%s cannot be watched now: %s", self._resource.display, error.code)
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        states = follow_as(
            self.client,
            self._resource,
            self._query,
            self._shape,
            deadline=Deadline.after(_LONGEST_S),
            window=WINDOW_S,
        )
        async with contextlib.aclosing(states) as found:
            async for objects in found:
                self.objects = objects


class WatchedKinds:
    """The stores of a service.

    Args:
        kinds: ``pods``, ``deployments.apps``: what is watched, from the first time it is asked for.
    """

    def __init__(self, kinds: Sequence[str] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._stores: dict[tuple[str, Resource, type[Any], str], _Store[Any]] = {}

    async def objects(
        self,
        client: KubernetesClient,
        resource: Resource,
        shape: type[ShapeT],
        *,
        namespace: str | None,
        field_selector: str = "",
        deadline: Deadline,
    ) -> Sequence[ShapeT] | None:
        """The objects as the watch has them, by namespace and name; None where they must be asked for.

        A watch has the server's own rights: they are asked for when the caller is held to rules of its own, or the
        cluster is asked as the caller.

        Raises:
            BackendError: ``forbidden`` when the server's account may not list them (now).
        """
        if resource.display not in self._kinds or client.confined or client.identity is not None:
            return None
        store = await self._store(client, resource, shape, field_selector)
        if store.objects is None:
            return None
        await _require_list(client, resource, namespace, deadline)
        chosen = [one for one in store.objects.values() if namespace is None or one.metadata.namespace == namespace]
        return sorted(chosen, key=lambda one: (one.metadata.namespace, one.metadata.name))

    async def close(self) -> None:
        """End all watches."""
        stores, self._stores = list(self._stores.values()), {}
        for store in stores:
            await store.close()

    async def _store(
        self, client: KubernetesClient, resource: Resource, shape: type[ShapeT], field_selector: str
    ) -> _Store[ShapeT]:
        """The store; a new one where the cluster's client was replaced."""
        key = (client.name, resource, shape, field_selector)
        store = self._stores.get(key)
        if store is not None and store.client is not client:
            del self._stores[key]
            await store.close()
            store = self._stores.get(key)
        if store is None:
            store = self._stores[key] = _Store(client, resource, shape, field_selector)
        return store


async def _require_list(
    client: KubernetesClient, resource: Resource, namespace: str | None, deadline: Deadline
) -> None:
    """Ask the cluster whether this server may list them now: a right may have been taken since the watch began."""
    reviews = await client.discovery.find("authorization.k8s.io", "v1", "SelfSubjectAccessReview", deadline=deadline)
    if reviews is None:
        raise BackendError("unsupported", f"cluster {client.name} serves no access reviews")
    asked = {"verb": "list", "group": resource.group, "resource": resource.plural, "namespace": namespace or ""}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    answer = await client.create(
        reviews, {**review, "spec": {"resourceAttributes": asked}}, deadline=deadline, read=True
    )
    if dig(answer, "status", "allowed") is not True:
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        raise BackendError("forbidden", f"this server may not list {resource.display} {where}", status=403)
