"""Prometheus: query metrics, discover what can be queried, and see targets, rules and the server's own state."""

from cloud_native_mcp.contract.service import ServiceSpec

SPEC = ServiceSpec(
    name="prometheus",
    title="Prometheus",
    summary="PromQL queries, metric discovery, scrape targets, rules and alerts, and server state of Prometheus.",
    config="config:PrometheusConfig",
    start="service:start",
    tools=("tools.query", "tools.find", "tools.targets", "tools.rules", "tools.status"),
)
