"""Server-side apply of a manifest: all documents are tried first, then applied in order, up to the first failure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.manifests import defines
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.applying.outcome import Outcome, outcome_of
from cloud_native_mcp.services.kubernetes.applying.refusals import explained
from cloud_native_mcp.services.kubernetes.waiting.outcome import wait_until
from cloud_native_mcp.services.kubernetes.waiting.states import parse_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.manifests import Planned
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

_ESTABLISHED_S: Final = 15.0
_LOOKS: Final = 20
_BETWEEN_LOOKS_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a manifest.

    Attributes:
        outcomes: of the documents that were written (or tried, in a dry run), in order.
        later: labels of documents that could only be tried when their turn comes.
        failed: the label of the document that stopped the run, and its error.
    """

    outcomes: Sequence[Outcome]
    later: Sequence[str] = ()
    failed: tuple[str, ToolError] | None = None


class Application:
    """One manifest on its way to one cluster.

    Args:
        force: take over fields that others manage.
        context: lines around each change in the differences.
    """

    def __init__(
        self, call: Call[KubernetesService], client: KubernetesClient, *, force: bool, context: int = 3
    ) -> None:
        self._call = call
        self._client = client
        self._force = force
        self._context = context

    async def rehearse(self, planned: Sequence[Planned]) -> Applied:
        """A dry run of every document; nothing is stored.

        Raises:
            ToolError: of the first document that would be refused.
        """
        brought = {one.document.name for one in planned if one.document.kind == "Namespace"}
        outcomes: list[Outcome] = []
        later: list[str] = []
        for one in planned:
            if one.resource is None or (one.namespace in brought and not await self._has_namespace(one)):
                later.append(one.label)
            else:
                outcomes.append(await self._write(one, one.resource, dry_run=True))
        return Applied(outcomes, later)

    async def run(self, planned: Sequence[Planned]) -> Applied:
        """Apply every document; the first failure ends the run and is part of the answer."""
        outcomes: list[Outcome] = []
        for done, one in enumerate(planned):
            await self._call.progress(done, len(planned), one.label)
            try:
                resource = one.resource or await self._new_kind(one, planned)
                outcomes.append(await self._write(one, resource, dry_run=False))
            except ToolError as error:
                return Applied(outcomes, failed=(one.label, error))
        return Applied(outcomes)

    async def _write(self, one: Planned, resource: Resource, *, dry_run: bool) -> Outcome:
        body = _body(one)
        try:
            if not one.document.name:
                written = await writes.create(
                    self._client,
                    resource,
                    body,
                    namespace=one.namespace,
                    dry_run=dry_run,
                    deadline=self._call.deadline,
                )
                return self._outcome(one, {}, written)
            before = await self._present(one, resource)
            written = await writes.patch(
                self._client,
                resource,
                one.document.name,
                body,
                kind="apply",
                namespace=one.namespace,
                dry_run=dry_run,
                force=self._force,
                deadline=self._call.deadline,
            )
        except BackendError as error:
            raise explained(error, what=one.label) from error
        return self._outcome(one, before, written)

    def _outcome(self, one: Planned, before: dict[str, object], written: writes.Written) -> Outcome:
        name = as_str(dig(written.object, "metadata", "name"))
        label = one.label if one.document.name else f"{one.document.kind} {one.namespace}/{name}"
        digest = self._call.service.digest
        return outcome_of(
            label, before, written.object, digest=digest, warnings=written.warnings, context=self._context
        )

    async def _present(self, one: Planned, resource: Resource) -> dict[str, object]:
        """The object as it is; empty when it is not there."""
        try:
            return await self._client.get(
                resource, one.document.name, namespace=one.namespace, deadline=self._call.deadline
            )
        except BackendError as error:
            if error.code != "not_found":
                raise
            return {}

    async def _has_namespace(self, one: Planned) -> bool:
        namespaces = await self._client.discovery.find("", "v1", "Namespace", deadline=self._call.deadline)
        if namespaces is None or one.namespace is None:
            return False
        try:
            await self._client.metadata(namespaces, one.namespace, deadline=self._call.deadline)
        except BackendError as error:
            if error.code != "not_found":
                raise
            return False
        return True

    async def _new_kind(self, one: Planned, planned: Sequence[Planned]) -> Resource:
        """The kind that a definition of the same manifest brought; it is served a moment after that is established."""
        group, _, version = as_str(one.document.object.get("apiVersion")).rpartition("/")
        definition = next(other for other in planned if defines(other.document) == (group, one.document.kind))
        if definition.resource is not None:
            await wait_until(
                self._client,
                definition.resource,
                ListQuery(field_selector=f"metadata.name={definition.document.name}"),
                parse_until("condition=Established"),
                seconds=_ESTABLISHED_S,
                deadline=self._call.deadline,
                progress=self._call.progress,
            )
        for _ in range(_LOOKS):
            catalogue = await self._client.discovery.refreshed(self._call.deadline)
            if (resource := catalogue.find(group, version, one.document.kind)) is not None:
                return resource
            await asyncio.sleep(_BETWEEN_LOOKS_S)
        text = f"manifest: {one.label}: its definition is there, but the cluster does not serve it yet; apply again"
        raise ToolError("unknown_kind", text)


def _body(one: Planned) -> dict[str, object]:
    body = dict(one.document.object)
    if one.namespace and not one.document.namespace:
        body["metadata"] = {**as_dict(body.get("metadata")), "namespace": one.namespace}
    return body
