"""Which describer is for which kind; custom kinds and the rest get the general one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.contract.times import age
from cloud_native_mcp.services.kubernetes.describe import cluster, configuration, network, pods, storage, workloads
from cloud_native_mcp.services.kubernetes.describe.facts import Facts, add_conditions, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Describer = Callable[[Facts, Mapping[str, object]], None]

_DESCRIBERS: Final[Mapping[tuple[str, str], Describer]] = {
    ("", "Pod"): pods.describe_pod,
    ("apps", "Deployment"): workloads.describe_deployment,
    ("apps", "StatefulSet"): workloads.describe_stateful_set,
    ("apps", "DaemonSet"): workloads.describe_daemon_set,
    ("apps", "ReplicaSet"): workloads.describe_replica_set,
    ("batch", "Job"): workloads.describe_job,
    ("batch", "CronJob"): workloads.describe_cron_job,
    ("", "Service"): network.describe_service,
    ("networking.k8s.io", "Ingress"): network.describe_ingress,
    ("networking.k8s.io", "NetworkPolicy"): network.describe_network_policy,
    ("discovery.k8s.io", "EndpointSlice"): network.describe_endpoint_slice,
    ("", "PersistentVolumeClaim"): storage.describe_claim,
    ("", "PersistentVolume"): storage.describe_volume,
    ("storage.k8s.io", "StorageClass"): storage.describe_storage_class,
    ("", "Node"): cluster.describe_node,
    ("", "Namespace"): cluster.describe_namespace,
    ("", "ResourceQuota"): cluster.describe_quota,
    ("", "LimitRange"): cluster.describe_limit_range,
    ("autoscaling", "HorizontalPodAutoscaler"): cluster.describe_autoscaler,
    ("policy", "PodDisruptionBudget"): cluster.describe_budget,
    ("", "ConfigMap"): configuration.describe_config_map,
    ("", "ServiceAccount"): configuration.describe_service_account,
}
_SERVER_SET: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})


def describe(obj: Mapping[str, object], *, group: str, kind: str, digest: Callable[[bytes], str]) -> Facts:
    """The facts of one object: identity first, then what its kind's describer knows."""
    facts = Facts()
    _add_identity(facts, obj)
    if (group, kind) == ("", "Secret"):
        configuration.secret_describer(digest)(facts, obj)
    else:
        _DESCRIBERS.get((group, kind), _describe_any)(facts, obj)
    return facts


def _add_identity(facts: Facts, obj: Mapping[str, object]) -> None:
    metadata = as_dict(obj.get("metadata"))
    facts.add("age", age(metadata.get("creationTimestamp")))
    facts.add("labels", metadata.get("labels"))
    annotations = {
        key: value
        for key, value in as_dict(metadata.get("annotations")).items()
        if key != "kubectl.kubernetes.io/last-applied-configuration"
    }
    facts.add("annotations", annotations)
    if metadata.get("deletionTimestamp"):
        facts.add("deleting since", age(metadata.get("deletionTimestamp")))
        facts.add("finalizers", metadata.get("finalizers"))


def _describe_any(facts: Facts, obj: Mapping[str, object]) -> None:
    """Any other kind: each field of spec and status on a line, conditions as a table."""
    for part in ("spec", "status"):
        for name, value in as_dict(obj.get(part)).items():
            if name != "conditions":
                facts.add(f"{part}.{name}", value)
    for name, value in obj.items():
        if name not in _SERVER_SET:
            facts.add(as_str(name), show(value))
    if dig(obj, "status", "conditions"):
        add_conditions(facts, obj)
