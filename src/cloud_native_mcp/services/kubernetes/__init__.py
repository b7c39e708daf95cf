"""Kubernetes: read what runs in the configured clusters."""

from cloud_native_mcp.contract.service import ServiceSpec

SPEC = ServiceSpec(
    name="kubernetes",
    title="Kubernetes",
    summary="Objects, events, logs, resource use, rollouts, permissions and API documentation of Kubernetes clusters.",
    config="config:KubernetesConfig",
    start="service:start",
    tools=(
        "tools.list",
        "tools.get",
        "tools.events",
        "tools.logs",
        "tools.top",
        "tools.rollout",
        "tools.diagnose",
        "tools.wait",
        "tools.access",
        "tools.explain",
        "tools.clusters",
        "tools.audit",
        "tools.diff",
        "tools.apply",
        "tools.patch",
        "tools.scale",
        "tools.action",
        "tools.connect",
        "tools.delete",
        "tools.drain",
        "tools.exec",
        "tools.secret_reveal",
    ),
    target_noun="Cluster",
    by_namespace=True,
)
