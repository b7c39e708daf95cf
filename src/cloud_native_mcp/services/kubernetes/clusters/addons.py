"""Add-ons recognised by the API groups they bring, and the tool arguments that work on their kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.catalogue import Catalogue
    from cloud_native_mcp.backends.kubernetes.resources import Resource

_BY_GROUP: Final = (
    ("argoproj.io", "Argo CD, Argo Rollouts or Argo Workflows"),
    ("fluxcd.io", "Flux"),
    ("cert-manager.io", "cert-manager"),
    ("istio.io", "Istio"),
    ("linkerd.io", "Linkerd"),
    ("keda.sh", "KEDA"),
    ("kyverno.io", "Kyverno"),
    ("gatekeeper.sh", "Gatekeeper"),
    ("velero.io", "Velero"),
    ("cilium.io", "Cilium"),
    ("projectcalico.org", "Calico"),
    ("tekton.dev", "Tekton"),
    ("kubevirt.io", "KubeVirt"),
    ("cluster.x-k8s.io", "Cluster API"),
    ("monitoring.coreos.com", "Prometheus Operator"),
    ("opentelemetry.io", "OpenTelemetry Operator"),
    ("jaegertracing.io", "Jaeger Operator"),
    ("k8s.elastic.co", "Elastic Cloud on Kubernetes"),
    ("grafana.integreatly.org", "Grafana Operator"),
    ("external-secrets.io", "External Secrets"),
    ("crossplane.io", "Crossplane"),
    ("knative.dev", "Knative"),
    ("gateway.networking.k8s.io", "Gateway API"),
    ("snapshot.storage.k8s.io", "CSI snapshots"),
    ("karpenter.sh", "Karpenter"),
    ("strimzi.io", "Strimzi"),
    ("postgresql.cnpg.io", "CloudNativePG"),
    ("wgpolicyk8s.io", "Policy reports"),
    ("metrics.k8s.io", "Metrics API"),
)


@dataclass(frozen=True, slots=True)
class Addon:
    """One add-on: its name, the groups it was recognised by, and its kinds."""

    name: str
    groups: tuple[str, ...]
    kinds: tuple[str, ...]


def find_addons(catalogue: Catalogue) -> list[Addon]:
    """Known add-ons first, then other custom groups under their own names."""
    found: list[Addon] = []
    seen: set[str] = set()
    for suffix, name in _BY_GROUP:
        groups = tuple(g.name for g in catalogue.groups if g.name == suffix or g.name.endswith(f".{suffix}"))
        if groups:
            found.append(Addon(name, groups, _kinds(catalogue, groups)))
            seen.update(groups)
    others = [group.name for group in catalogue.groups if _custom(group.name) and group.name not in seen]
    found += [Addon("other", (group,), _kinds(catalogue, (group,))) for group in others]
    return found


def _kinds(catalogue: Catalogue, groups: tuple[str, ...]) -> tuple[str, ...]:
    resources: list[Resource] = [r for r in catalogue.resources if r.group in groups and "list" in r.verbs]
    return tuple(dict.fromkeys(resource.display for resource in resources))


def _custom(group: str) -> bool:
    return "." in group and not group.endswith(".k8s.io")
