"""What the Prometheus HTTP API answers, as far as it is read here.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/. Lists that Go leaves empty arrive as null.
"""

from typing import Generic, TypeVar

import msgspec

DataT = TypeVar("DataT")


class Reply(msgspec.Struct, Generic[DataT], rename="camel"):
    """The envelope of every answer."""

    status: str = ""
    data: DataT | None = None
    error_type: str = ""
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None


class Histogram(msgspec.Struct):
    """A native histogram. A bucket is its boundary rule (0 left open, 1 right open, 2 both, 3 none), bounds, count."""

    count: str
    sum: str
    buckets: list[tuple[int, str, str, str]] = []


Sample = tuple[float, str]
HistogramSample = tuple[float, Histogram]


class Series(msgspec.Struct):
    """One series of a vector (``value``) or a matrix (``values``), or the same with native histograms."""

    metric: dict[str, str]
    value: Sample | None = None
    values: list[Sample] = []
    histogram: HistogramSample | None = None
    histograms: list[HistogramSample] = []


class QueryData(msgspec.Struct, rename="camel"):
    """The data of a query; the result's form depends on its type."""

    result_type: str
    result: msgspec.Raw = msgspec.Raw(b"[]")


class Exemplar(msgspec.Struct):
    """One exemplar; time in Unix seconds."""

    labels: dict[str, str]
    value: str
    timestamp: float


class ExemplarSeries(msgspec.Struct, rename="camel"):
    """The exemplars of one series."""

    series_labels: dict[str, str]
    exemplars: list[Exemplar] | None = None


class Metadata(msgspec.Struct):
    """What targets say of a metric."""

    type: str = ""
    unit: str = ""
    help: str = ""


class TargetMetadata(msgspec.Struct):
    """What one target says of a metric; ``metric`` is absent when one metric was asked for."""

    target: dict[str, str]
    metric: str = ""
    type: str = ""
    unit: str = ""
    help: str = ""


class ActiveTarget(msgspec.Struct, rename="camel"):
    """A target that is scraped, without the labels it was discovered with. Duration in seconds.

    ``health`` is empty for a target that relabelling dropped.
    """

    labels: dict[str, str] | None = None
    scrape_pool: str = ""
    scrape_url: str = ""
    last_error: str = ""
    last_scrape: str = ""
    last_scrape_duration: float = 0.0
    health: str = ""
    scrape_interval: str = ""
    scrape_timeout: str = ""


class DiscoveredTarget(msgspec.Struct, rename="camel"):
    """A target as discovered; ``health`` is empty when relabelling dropped it."""

    discovered_labels: dict[str, str] | None = None
    scrape_pool: str = ""
    health: str = ""


class DroppedCounts(msgspec.Struct, rename="camel"):
    """How many targets each pool dropped (the server keeps only some of them)."""

    dropped_target_counts: dict[str, int] | None = None


class ScrapePools(msgspec.Struct, rename="camel"):
    """Names of the scrape pools."""

    scrape_pools: list[str] | None = None


class RelabelStep(msgspec.Struct):
    """One relabelling rule, the labels after it, and whether the target is still kept."""

    rule: dict[str, object]
    output: dict[str, str] | None = None
    keep: bool = True


class RelabelSteps(msgspec.Struct):
    """All rules of a pool applied to one target."""

    steps: list[RelabelStep] | None = None


class Alert(msgspec.Struct, rename="camel"):
    """One pending or firing alert."""

    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    state: str = ""
    active_at: str = ""
    value: str = ""


class Alerts(msgspec.Struct):
    """All active alerts."""

    alerts: list[Alert] | None = None


class Rule(msgspec.Struct, rename="camel"):
    """An alerting or recording rule. Durations in seconds; ``state`` is empty for recording rules."""

    name: str = ""
    query: str = ""
    type: str = ""
    state: str = ""
    health: str = ""
    last_error: str = ""
    duration: float = 0.0
    evaluation_time: float = 0.0
    last_evaluation: str = ""
    labels: dict[str, str] | None = None
    alerts: list[Alert] | None = None


class RuleGroup(msgspec.Struct, rename="camel"):
    """A group of rules evaluated one after the other. Durations in seconds."""

    name: str = ""
    file: str = ""
    rules: list[Rule] | None = None
    interval: float = 0.0
    evaluation_time: float = 0.0
    last_evaluation: str = ""


class Rules(msgspec.Struct, rename="camel"):
    """A page of rule groups."""

    groups: list[RuleGroup] | None = None
    group_next_token: str = ""


class AlertmanagerUrl(msgspec.Struct):
    """Where alerts are sent."""

    url: str


class Alertmanagers(msgspec.Struct, rename="camel"):
    """The Alertmanagers found."""

    active_alertmanagers: list[AlertmanagerUrl] | None = None
    dropped_alertmanagers: list[AlertmanagerUrl] | None = None


class BuildInfo(msgspec.Struct, rename="camel"):
    """What runs."""

    version: str = ""
    revision: str = ""
    go_version: str = ""


class RuntimeInfo(msgspec.Struct, rename="camel"):
    """How it runs; times are RFC 3339."""

    start_time: str = ""
    server_time: str = ""
    reload_config_success: bool | None = None
    last_config_time: str = ""
    corruption_count: int | None = None
    goroutine_count: int | None = None
    storage_retention: str = ""


class WalReplay(msgspec.Struct):
    """Segments of the write-ahead log read at start."""

    min: int = 0
    max: int = 0
    current: int = 0


class Count(msgspec.Struct):
    """A name and how many."""

    name: str
    value: int


class HeadStats(msgspec.Struct, rename="camel"):
    """The head block; times in Unix milliseconds."""

    num_series: int = 0
    num_label_pairs: int = 0
    chunk_count: int = 0
    min_time: int = 0
    max_time: int = 0


class TsdbStatus(msgspec.Struct, rename="camel"):
    """What takes most of the head block."""

    head_stats: HeadStats | None = None
    series_count_by_metric_name: list[Count] | None = None
    label_value_count_by_label_name: list[Count] | None = None
    memory_in_bytes_by_label_name: list[Count] | None = None
    series_count_by_label_value_pair: list[Count] | None = None


class BlockStats(msgspec.Struct, rename="camel"):
    """What a block holds."""

    num_samples: int = 0
    num_float_samples: int = 0
    num_histogram_samples: int = 0
    num_series: int = 0
    num_chunks: int = 0
    num_tombstones: int = 0


class BlockCompaction(msgspec.Struct):
    """How a block came to be."""

    level: int = 0


class Block(msgspec.Struct, rename="camel"):
    """A block on disk; times in Unix milliseconds."""

    ulid: str = ""
    min_time: int = 0
    max_time: int = 0
    stats: BlockStats | None = None
    compaction: BlockCompaction | None = None


class Blocks(msgspec.Struct):
    """All blocks."""

    blocks: list[Block] | None = None


class LoadedConfig(msgspec.Struct):
    """The configuration in force."""

    yaml: str = ""


class Notification(msgspec.Struct):
    """A message the server shows to its operators."""

    text: str = ""
    date: str = ""
    active: bool = False


class MetricValue(msgspec.Struct):
    """The value of a counter or gauge."""

    value: float | str = 0.0


class SelfSample(msgspec.Struct):
    """One series of the server's own metrics."""

    gauge: MetricValue | None = None
    counter: MetricValue | None = None


class SelfMetric(msgspec.Struct):
    """One of the server's own metrics."""

    name: str
    metric: list[SelfSample] | None = None
