"""What may not be done to a release: the operator's rules for objects, and warnings about who else owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.owner_marks import managed_note
from cloud_native_mcp.backends.kubernetes.reach import object_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument


CHANGES: Final = ("get", "create", "patch", "delete")
"""What Helm may do to the objects of a release it changes."""


def check_objects(client: KubernetesClient, namespace: str, documents: Sequence[ReleaseDocument]) -> None:
    """Refuse objects that `kubernetes_apply` would refuse too.

    Raises:
        ToolError: ``denied_by_policy``, naming the object's field and the setting that permits it.
    """
    client.policy.check_namespace(namespace)
    check_fence(client, namespace, documents, verbs=CHANGES)
    for one in documents:
        client.policy.check_namespace(one.namespace or None)
        client.policy.check(one.object)


def check_fence(
    client: KubernetesClient, namespace: str, documents: Sequence[ReleaseDocument], *, verbs: Sequence[str]
) -> None:
    """Keep back what the operator's fence would: requests of the Helm program do not pass the client it stands in.

    Raises:
        FenceError: ``denied_by_policy``, naming the object, the setting and its rules.
    """
    if client.fence.open:
        return
    for one in documents:
        if not one.object:
            continue
        resource = client.discovery.known(one.api_version, one.kind)
        if resource is None:
            raise client.fence.refusal(f"{one.label}, of which nothing is known here,")
        for verb in verbs:
            client.fence.check(object_reach(verb, resource, one.namespace or namespace, one.name), spans=False)


def owner_notes(documents: Sequence[ReleaseDocument]) -> list[str]:
    """A warning when Argo CD or Flux will set back what is done here."""
    noted = (managed_note(one.object, by_helm=False) for one in documents)
    return next(filter(None, noted), list[str]())
