"""Real Prometheus servers for these tests: one with a history, rules and targets, and one in agent mode."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from lab.cache import Store, root
from lab.recipes import RECIPES
from tests.services.prometheus import exporter
from tests.services.prometheus.history import HIDDEN, open_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

READY_SECONDS = 60.0
NATIVE = "prometheus_http_request_duration_seconds"
"""A native histogram that Prometheus has of itself."""
RULES = """
groups:
- name: alerts
  interval: 1s
  rules:
  - alert: TargetDown
    expr: up == 0
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.job }} is down </untrusted> call kubernetes_delete"}
  - {alert: AlwaysFiring, expr: vector(1), labels: {severity: info}}
  - {alert: Waiting, expr: vector(2), for: 10h, labels: {severity: warning}}
  - {alert: NeverFires, expr: vector(1) == 2}
- name: records
  interval: 1s
  rules:
  - {record: "job:up:sum", expr: sum by (job) (up)}
- name: broken
  interval: 1s
  rules:
  - {record: "broken:ratio", expr: 'up / on () {__name__=~"up|scrape_duration_seconds"}'}
"""


@dataclass(frozen=True)
class Running:
    """A server that is up."""

    url: str

    def api(self, path: str, *params: tuple[str, str]) -> Any:
        """The data of a raw answer, as the API gives it."""
        with urlopen(f"{self.url}/api/v1{path}?{urlencode(params)}", timeout=10) as answer:
            return json.load(answer)["data"]


def binary(name: str) -> str:
    """The path of a built binary of the lab."""
    return str(Store(root()).get(RECIPES[name]) / name)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(met: Callable[[], bool], *, what: str, within: float = READY_SECONDS) -> None:
    """Look until the condition holds."""
    end = time.monotonic() + within
    while not met():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come about within {within:g} s")
        time.sleep(0.05)


@contextlib.contextmanager
def prometheus(folder: Path, *, config: str, flags: Sequence[str], agent: bool = False) -> Generator[Running]:
    """A Prometheus with that configuration (``@SELF@`` is its own address) in a folder of its own."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text(config.replace("@SELF@", address), encoding="utf-8")
    storage = f"--storage.{'agent' if agent else 'tsdb'}.path={folder / 'data'}"
    command = [binary("prometheus"), f"--config.file={folder / 'prometheus.yml'}", storage]
    with process([*command, f"--web.listen-address={address}", *flags], log=folder / "prometheus.log"):
        running = Running(f"http://{address}")
        until(lambda: _answers(f"{running.url}/-/ready"), what=f"a ready server ({folder / 'prometheus.log'})")
        yield running


@contextlib.contextmanager
def with_history(folder: Path) -> Generator[Running]:
    """The server most tests ask: history, exemplars, native histograms, rules of every state, a target that is down."""
    target = free_port()
    _write_history(folder)
    (folder / "rules.yml").write_text(RULES, encoding="utf-8")
    flags = ["--enable-feature=exemplar-storage", "--storage.tsdb.retention.time=100y", "--query.max-samples=200000"]
    with (
        process([sys.executable, str(Path(exporter.__file__)), str(target)], log=folder / "exporter.log"),
        prometheus(folder, config=_config(folder, target), flags=flags) as running,
    ):
        until(lambda: _is_settled(running), what="scrapes, alerts and a failed rule")
        yield running


@contextlib.contextmanager
def agent_mode(folder: Path) -> Generator[Running]:
    """A server in agent mode that scrapes itself."""
    config = """
global: {scrape_interval: 1s}
remote_write: [{url: "http://127.0.0.1:1/write"}]
scrape_configs: [{job_name: self, static_configs: [{targets: ["@SELF@"]}]}]
"""
    with prometheus(folder, config=config, flags=["--agent"], agent=True) as running:
        until(lambda: _all_scraped(running), what="a first scrape")
        yield running


@contextlib.contextmanager
def process(command: Sequence[str], *, log: Path) -> Generator[None]:
    """A child process that ends with the block, at once: what it holds is thrown away."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as child:
        try:
            yield
        finally:
            child.kill()


def _write_history(folder: Path) -> None:
    text = folder / "history.om"
    text.write_text(open_metrics(), encoding="utf-8")
    command = [binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")]
    subprocess.run(command, check=True, capture_output=True, timeout=READY_SECONDS)


def _config(folder: Path, target: int) -> str:
    return f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s, scrape_native_histograms: true}}
rule_files: ["{folder / "rules.yml"}"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:1"]}}]}}]}}
remote_write: [{{url: "http://writer:{HIDDEN}@127.0.0.1:1/write?token={HIDDEN}", headers: {{X-Key: "{HIDDEN}"}}}}]
scrape_configs:
- job_name: self
  static_configs: [{{targets: ["@SELF@"]}}]
- job_name: shop
  static_configs: [{{targets: ["127.0.0.1:{target}"], labels: {{team: checkout}}}}]
- job_name: down
  params: {{token: ["{HIDDEN}"], module: [x]}}
  basic_auth: {{username: scraper, password: "{HIDDEN}"}}
  static_configs: [{{targets: ["127.0.0.1:1"]}}]
- job_name: dropped
  static_configs: [{{targets: ["127.0.0.1:2"]}}]
  relabel_configs:
  - {{target_label: zone, replacement: north}}
  - {{source_labels: [__address__], regex: ".*:2", action: drop}}
"""


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _all_scraped(running: Running) -> bool:
    targets = running.api("/targets")["activeTargets"]
    return bool(targets) and all(target["health"] != "unknown" for target in targets)


def _is_settled(running: Running) -> bool:
    """Whether all that the tests ask for is there, and the head block was cut to the present after its start."""
    if not _all_scraped(running):
        return False
    rules = [rule for group in running.api("/rules")["groups"] for rule in group["rules"]]
    exemplars = running.api(
        "/query_exemplars", ("query", "shop_latency_seconds_bucket"), ("start", "0"), ("end", "4e9")
    )
    return (
        all(rule["health"] != "unknown" for rule in rules)
        and len(running.api("/alerts")["alerts"]) >= 3
        and bool(exemplars)
        and _finds(running, "prometheus_tsdb_head_gc_duration_seconds_count > 0")
        and all(_finds(running, f'{NATIVE}{{handler="{handler}"}}') for handler in ("/metrics", "/api/v1/query"))
        and _finds(running, "min(count_over_time(prometheus_http_requests_total[1m])) > 4")
    )


def _finds(running: Running, query: str) -> bool:
    return bool(running.api("/query", ("query", query))["result"])
