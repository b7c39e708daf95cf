"""What may not be done to a release: the operator's rules for objects, and warnings about who else owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.owner_marks import managed_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument


def check_objects(client: KubernetesClient, namespace: str, documents: Sequence[ReleaseDocument]) -> None:
    """Refuse objects that `kubernetes_apply` would refuse too.

    Raises:
        ToolError: ``denied_by_policy``, naming the object's field and the setting that permits it.
    """
    client.policy.check_namespace(namespace)
    for one in documents:
        client.policy.check_namespace(one.namespace or None)
        client.policy.check(one.object)


def owner_notes(documents: Sequence[ReleaseDocument]) -> list[str]:
    """A warning when Argo CD or Flux will set back what is done here."""
    noted = (managed_note(one.object, by_helm=False) for one in documents)
    return next(filter(None, noted), list[str]())
