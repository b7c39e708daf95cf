"""One change of a release at a time, over all nodes of this server: a Lease in the release's namespace.

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

import contextlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.json_values import as_dict, as_int, as_str, dig
from cloud_native_mcp.errors import BackendError, ToolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource

PREFIX: Final = "cloud-native-mcp-helm."
_RELEASE_SECONDS: Final = 10.0


class ReleaseLocks:
    """The locks this node holds. Where Leases may not be made, it guards against its own calls only."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str, str]] = set()

    @contextlib.asynccontextmanager
    async def hold(
        self, client: KubernetesClient, namespace: str, release: str, *, seconds: float, deadline: Deadline
    ) -> AsyncGenerator[bool]:
        """Hold the release; the value says whether other nodes see it.

        Args:
            seconds: how long the lock counts at most, should this node end without giving it back.

        Raises:
            ToolError: ``release_locked`` when another call changes the release.
        """
        key = (client.name, namespace, release)
        if key in self._held:
            raise ToolError("release_locked", f"another call changes release {namespace}/{release} now", kind="final")
        self._held.add(key)
        try:
            lease = await _take(client, namespace, release, seconds=seconds, deadline=deadline)
            try:
                yield lease is not None
            finally:
                if lease is not None:
                    await _give_back(client, namespace, lease)
        finally:
            self._held.discard(key)


async def _take(
    client: KubernetesClient, namespace: str, release: str, *, seconds: float, deadline: Deadline
) -> Mapping[str, object] | None:
    """The Lease that was made, or None where that cannot be."""
    resource = await _leases(client, deadline)
    body = _lease(PREFIX + release, seconds)
    try:
        made = await writes.create(client, resource, body, namespace=namespace, deadline=deadline)
    except BackendError as error:
        if error.status in {403, 404}:  # not permitted, or the namespace comes with the release
            return None
        if error.status != 409:
            raise
        await _clear_expired(client, resource, namespace, release, deadline)
        made = await writes.create(client, resource, body, namespace=namespace, deadline=deadline)
    return made.object


async def _clear_expired(
    client: KubernetesClient, resource: Resource, namespace: str, release: str, deadline: Deadline
) -> None:
    """Remove a Lease whose holder did not come back in its time.

    Raises:
        ToolError: ``release_locked`` while it counts.
    """
    held = await client.get(resource, PREFIX + release, namespace=namespace, deadline=deadline)
    since = _time(as_str(dig(held, "spec", "acquireTime")))
    ends = since + timedelta(seconds=as_int(dig(held, "spec", "leaseDurationSeconds")))
    now = datetime.now(UTC)
    if now < ends:
        left = int((ends - now).total_seconds())
        text = (
            f"another node of this server changes release {namespace}/{release} since "
            f"{since:%Y-%m-%dT%H:%M:%SZ}; its lock ends by itself in {left} s at the latest"
        )
        raise ToolError("release_locked", text, kind="final")
    metadata = as_dict(dig(held, "metadata"))
    await writes.delete(
        client,
        resource,
        PREFIX + release,
        namespace=namespace,
        uid=as_str(metadata.get("uid")),
        resource_version=as_str(metadata.get("resourceVersion")),
        deadline=deadline,
    )


async def _give_back(client: KubernetesClient, namespace: str, lease: Mapping[str, object]) -> None:
    """Remove our Lease; one that cannot be removed ends by itself."""
    deadline = Deadline.after(_RELEASE_SECONDS)
    name, uid = as_str(dig(lease, "metadata", "name")), as_str(dig(lease, "metadata", "uid"))
    with contextlib.suppress(BackendError):
        resource = await _leases(client, deadline)
        await writes.delete(client, resource, name, namespace=namespace, uid=uid, deadline=deadline)


async def _leases(client: KubernetesClient, deadline: Deadline) -> Resource:
    resource = await client.discovery.find("coordination.k8s.io", "v1", "Lease", deadline=deadline)
    if resource is None:
        raise BackendError("unsupported", f"cluster {client.name} serves no Leases (coordination.k8s.io/v1)")
    return resource


def _lease(name: str, seconds: float) -> dict[str, object]:
    # API servers take times of a Lease with six fraction digits only
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec: dict[str, object] = {
        "holderIdentity": uuid.uuid4().hex,
        "leaseDurationSeconds": max(1, round(seconds)),
        "acquireTime": now,
        "renewTime": now,
    }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
