"""Counters and histograms of this server, in the Prometheus text format. Labels never hold what a caller chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from cloud_native_mcp import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

CALL_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """All metrics, on a registry of their own, so that two servers in one process do not mix.

    Attributes:
        connections: open client connections.
        registry: for further collectors.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        info = Gauge("cnmcp_build_info", "Version of the server.", ["version"], registry=self.registry)
        info.labels(__version__).set(1)
        self._calls = self._counter("cnmcp_calls", "Tool calls by outcome.", "service", "tool", "outcome")
        self._call_seconds = self._histogram("cnmcp_call_seconds", "Time of tool calls.", "service", "tool")
        self._call_bytes = self._counter("cnmcp_call_bytes", "Bytes of answers.", "service", "tool")
        self._upstream = self._counter(
            "cnmcp_upstream_requests", "Attempts of requests to backends.", "service", "target", "outcome"
        )
        self._upstream_seconds = self._histogram(
            "cnmcp_upstream_seconds", "Time of attempts of requests to backends.", "service", "target"
        )
        self._refused = self._counter("cnmcp_refused_requests", "HTTP requests refused, by stage.", "stage")
        self._dropped = self._counter(
            "cnmcp_dropped_identity_headers", "HTTP requests whose header fields about an identity were dropped."
        )
        self._audit = self._counter(
            "cnmcp_audit_records", "Audit records stored, lost, or refusing a write.", "sink", "outcome"
        )
        self._audit_on = Gauge("cnmcp_audit_enabled", "Whether calls are recorded.", registry=self.registry)
        self._key_expiry = Gauge(
            "cnmcp_api_key_expiry_timestamp_seconds",
            "When an API key ends, in seconds since 1970; key is empty for a key of the configuration.",
            ["principal", "key"],
            registry=self.registry,
        )
        self.connections = Gauge("cnmcp_connections", "Open client connections.", registry=self.registry)
        self._calls_of: dict[tuple[str, str, str], tuple[Counter, Histogram, Counter]] = {}

    def call(self, service: str, tool: str, outcome: str, seconds: float, size: int) -> None:
        """A tool call ended; ``size`` is the bytes of its answer."""
        key = (service, tool, outcome)
        found = self._calls_of.get(key)
        if found is None:
            found = (
                self._calls.labels(service, tool, outcome),
                self._call_seconds.labels(service, tool),
                self._call_bytes.labels(service, tool),
            )
            self._calls_of[key] = found
        calls, duration, answer = found
        calls.inc()
        duration.observe(seconds)
        answer.inc(size)

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """An attempt of a request to a backend ended (`upstream.observer.UpstreamObserver`)."""
        self._upstream.labels(service, target, outcome).inc()
        self._upstream_seconds.labels(service, target).observe(seconds)

    def refused(self, stage: str) -> None:
        """An HTTP request was refused by ``auth`` or ``rate``."""
        self._refused.labels(stage).inc()

    def identity_dropped(self) -> None:
        """Header fields that say who asks were dropped: the peer is no trusted proxy."""
        self._dropped.inc()

    def audit(self, sink: str, outcome: str, records: int) -> None:
        """Records were ``stored`` in or ``lost`` to a sink, or writes ``refused`` for want of a record in any."""
        self._audit.labels(sink, outcome).inc(records)

    def audit_enabled(self, *, enabled: bool) -> None:
        """Whether the audit is on, to alert on."""
        self._audit_on.set(1 if enabled else 0)

    def key_expiries(self, expiries: Sequence[tuple[str, str, float]]) -> None:
        """When keys end: the operator's visible id, the key id, seconds since 1970. Keys not among them are dropped."""
        self._key_expiry.clear()
        for principal, key, moment in expiries:
            self._key_expiry.labels(principal, key).set(moment)

    def render(self) -> tuple[bytes, str]:
        """All metrics and their content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=CALL_BUCKETS)
