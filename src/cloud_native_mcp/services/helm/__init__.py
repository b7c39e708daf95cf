"""Helm: read and change the releases in the configured clusters."""

from cloud_native_mcp.contract.service import ServiceSpec

SPEC = ServiceSpec(
    name="helm",
    title="Helm",
    summary="Releases of Helm: status, values, manifests, notes, hooks, history and the live state of their objects.",
    config="config:HelmConfig",
    start="service:start",
    tools=(
        *("tools.list", "tools.get", "tools.diff", "tools.chart", "tools.template", "tools.deploy", "tools.rollback"),
        *("tools.test", "tools.repo", "tools.uninstall"),
    ),
    target_noun="Cluster",
    by_namespace=True,
)
