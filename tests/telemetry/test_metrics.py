"""Metrics count what happened, under bounded labels."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from cloud_native_mcp import __version__
from cloud_native_mcp.telemetry.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    text, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_calls_are_counted_timed_and_weighed() -> None:
    metrics = Metrics()
    metrics.call("kubernetes", "kubernetes_list", "ok", 0.02, 1_500)
    metrics.call("kubernetes", "kubernetes_list", "ok", 0.2, 500)
    metrics.call("kubernetes", "kubernetes_list", "refused", 0.001, 0)
    found = samples(metrics)
    assert found["cnmcp_calls_total", ("kubernetes", "kubernetes_list", "ok")] == 2
    assert found["cnmcp_calls_total", ("kubernetes", "kubernetes_list", "refused")] == 1
    assert found["cnmcp_call_bytes_total", ("kubernetes", "kubernetes_list")] == 2_000
    assert found["cnmcp_call_seconds_count", ("kubernetes", "kubernetes_list")] == 3
    assert found["cnmcp_call_seconds_bucket", ("0.025", "kubernetes", "kubernetes_list")] == 2


def test_backends_refusals_audit_and_connections_are_counted() -> None:
    metrics = Metrics()
    metrics.request("prometheus", "main", "200", 0.1)
    metrics.request("prometheus", "main", "timeout", 30.0)
    metrics.refused("auth")
    metrics.audit("file", "lost", 3)
    metrics.audit_enabled(enabled=True)
    metrics.connections.inc()
    found = samples(metrics)
    assert found["cnmcp_upstream_requests_total", ("main", "prometheus", "timeout")] == 1
    assert found["cnmcp_upstream_seconds_count", ("main", "prometheus")] == 2
    assert found["cnmcp_refused_requests_total", ("auth",)] == 1
    assert found["cnmcp_audit_records_total", ("file", "lost")] == 3
    assert found["cnmcp_audit_enabled", ()] == 1
    assert found["cnmcp_connections", ()] == 1
    assert found["cnmcp_build_info", (__version__,)] == 1


def test_two_servers_in_one_process_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.call("s", "t", "ok", 0.1, 1)
    assert ("cnmcp_calls_total", ("s", "t", "ok")) not in samples(other)
