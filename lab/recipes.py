"""What the lab builds: one entry per artefact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.gobuild import GoBinary, ModuleFiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.cache import Artefact

KUBERNETES_VERSION = "v1.37.2"
PROMETHEUS_VERSION = "3.16.0"
KWOK_VERSION = "v0.8.0"
HELM_VERSION = "v4.3.1"
HELM3_VERSION = "v3.22.0"

_STAMPED = "k8s.io/component-base/version"
_KUBERNETES_STAMPS = (
    f"{_STAMPED}.gitVersion={KUBERNETES_VERSION}",
    f"{_STAMPED}.gitMajor=1",
    f"{_STAMPED}.gitMinor=37",
    f"{_STAMPED}.gitCommit=lab",
    f"{_STAMPED}.gitTreeState=clean",
    f"{_STAMPED}.buildDate=2026-11-22T00:00:00Z",
)
_PROMETHEUS_STAMPS = (f"github.com/prometheus/common/version.Version={PROMETHEUS_VERSION}",)


def _kubernetes(name: str) -> GoBinary:
    return GoBinary(name, KUBERNETES_VERSION, "cluster", f"k8s.io/kubernetes/cmd/{name}", _KUBERNETES_STAMPS)


def _prometheus(name: str) -> GoBinary:
    package = f"github.com/prometheus/prometheus/cmd/{name}"
    return GoBinary(name, PROMETHEUS_VERSION, "cluster", package, _PROMETHEUS_STAMPS)


_ALL: tuple[Artefact, ...] = (
    GoBinary("etcd", "v3.7.0", "cluster", "go.etcd.io/etcd/server/v3"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
    _kubernetes("kubectl"),
    GoBinary(
        "kwok",
        KWOK_VERSION,
        "cluster",
        "sigs.k8s.io/kwok/cmd/kwok",
        (f"sigs.k8s.io/kwok/pkg/consts.Version={KWOK_VERSION}",),
    ),
    ModuleFiles(
        "kwok-manifests",
        KWOK_VERSION,
        "cluster",
        "sigs.k8s.io/kwok",
        (
            ("kustomize/crd/bases/*.yaml", "crds"),
            ("kustomize/metrics/resource/metrics-resource.yaml", "metrics"),
            ("kustomize/metrics/usage/usage-from-annotation.yaml", "metrics"),
            ("kustomize/stage/node/fast/node-initialize.yaml", "stages"),
            ("kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml", "stages"),
            ("kustomize/stage/pod/fast/pod-complete.yaml", "stages"),
            ("kustomize/stage/pod/fast/pod-delete.yaml", "stages"),
            ("kustomize/stage/pod/fast/pod-ready.yaml", "stages"),
        ),
    ),
    GoBinary("metrics-server", "v0.9.0", "cluster", "sigs.k8s.io/metrics-server/cmd/metrics-server"),
    GoBinary(
        "helm",
        HELM_VERSION,
        "cluster",
        "helm.sh/helm/v4/cmd/helm",
        (f"helm.sh/helm/v4/internal/version.version={HELM_VERSION}",),
    ),
    GoBinary(
        "helm3",
        HELM3_VERSION,
        "helm3",
        "helm.sh/helm/v3/cmd/helm",
        (f"helm.sh/helm/v3/internal/version.version={HELM3_VERSION}",),
    ),
    GoBinary("registry", "v3.1.2", "registry", "github.com/distribution/distribution/v3/cmd/registry"),
    _prometheus("prometheus"),
    _prometheus("promtool"),
)
RECIPES: dict[str, Artefact] = {artefact.name: artefact for artefact in _ALL}


def chosen(names: Iterable[str]) -> list[Artefact]:
    """The artefacts of these names in the order of the table; LabError lists the known ones."""
    wanted = set(names)
    unknown = sorted(wanted - RECIPES.keys())
    if unknown:
        raise LabError(f"nothing to build is called {', '.join(unknown)}; known: {', '.join(RECIPES)}")
    return [artefact for artefact in _ALL if artefact.name in wanted]
