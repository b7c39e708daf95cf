"""Who sets an object back: the deployment tools that leave their mark on what they own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HELM: Final = "Helm release"
_MARKS: Final[Sequence[tuple[str, str, str]]] = (
    ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD application"),
    ("labels", "argocd.argoproj.io/instance", "Argo CD application"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux Kustomization"),
    ("labels", "helm.toolkit.fluxcd.io/name", "Flux HelmRelease"),
    ("annotations", "meta.helm.sh/release-name", _HELM),
)
_KEYS: Final = frozenset(
    {
        *(key for _, key, _ in _MARKS),
        "meta.helm.sh/release-namespace",
        "kustomize.toolkit.fluxcd.io/namespace",
        "helm.toolkit.fluxcd.io/namespace",
    }
)
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"


def without_owner(marks: Mapping[str, object]) -> dict[str, object]:
    """Labels or annotations without those by which a deployment tool would take a copy for its own, and prune it."""
    return {
        key: value
        for key, value in marks.items()
        if key not in _KEYS and not (key == _MANAGED_BY and value in {"Helm", "Tiller"})
    }


def managed_note(obj: Mapping[str, object], *, by_helm: bool = True) -> list[str]:
    """A warning when a deployment tool owns the object, naming it; the first mark counts.

    Args:
        by_helm: whether Helm's own mark counts.
    """
    metadata = as_dict(obj.get("metadata"))
    for part, key, what in _MARKS:
        if (by_helm or what != _HELM) and (name := as_str(dig(metadata, part, key))):
            owner = name.partition(":")[0]
            return [f"managed: {what} {owner} owns this object and will set it back; change it there to stay"]
    return []
