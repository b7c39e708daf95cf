"""Finding one release and one of its revisions, with an error that says what exactly is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.namespaces import missing_namespace
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import BackendError, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.helm.releases.record import Record
    from cloud_native_mcp.services.helm.releases.storage import Storage


@dataclass(frozen=True, slots=True)
class Release:
    """A release with its held revisions, oldest first; never empty."""

    namespace: str
    name: str
    revisions: Sequence[Record]

    @property
    def newest(self) -> Record:
        """The newest revision."""
        return self.revisions[-1]

    @property
    def deployed(self) -> Record | None:
        """The newest revision that is deployed: not always the newest of all."""
        return next((one for one in reversed(self.revisions) if one.status == "deployed"), None)

    @property
    def serving(self) -> Record:
        """The revision whose objects are in the cluster: the deployed one, else the newest."""
        return self.deployed or self.newest

    def revision(self, number: int | None, *, field: str = "revision") -> Record:
        """The revision of that number, or the newest.

        Raises:
            ToolError: ``revision_not_found``, with the held ones.
        """
        if number is None:
            return self.newest
        found = next((one for one in self.revisions if one.revision == number), None)
        if found is None:
            held = ", ".join(str(one.revision) for one in self.revisions)
            raise ToolError("revision_not_found", f"{field}: {number} is not held; held: {held}")
        return found


async def find_release(
    storage: Storage, client: KubernetesClient, namespace: str, name: str, *, deadline: Deadline
) -> Release:
    """The release.

    Raises:
        BackendError: ``not_found`` with near names and other namespaces that hold the name.
    """
    held = await storage.history(client, namespace, name, deadline=deadline)
    if not held:
        raise await _not_found(storage, client, namespace, name, deadline)
    return Release(namespace, name, held)


async def _not_found(
    storage: Storage, client: KubernetesClient, namespace: str, name: str, deadline: Deadline
) -> BackendError:
    if line := await missing_namespace(client, namespace, deadline=deadline):
        return BackendError("not_found", line, kind="fix", status=404)
    there = {record.name for record in await storage.records(client, namespace, deadline=deadline)}
    hints: list[str] = []
    if near := nearest(name, sorted(there)):
        hints.append(f"near: {', '.join(near)}")
    try:
        elsewhere = await storage.records(client, None, selector=f"name={name}", deadline=deadline)
    except BackendError:
        elsewhere = []
    if others := sorted({record.namespace for record in elsewhere}):
        hints.append(f"held in namespace {', '.join(others[:10])}")
    text = "; ".join((f"no release {name} in namespace {namespace} on {client.name}", *hints))
    return BackendError("not_found", text, kind="fix", status=404)
