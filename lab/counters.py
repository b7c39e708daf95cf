"""The CPU counters of fake kubelets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.nodes import metrics_path, node_name
from lab.probes import read, wait_until

if TYPE_CHECKING:
    from lab.context import Lab

COUNTERS_SECONDS = 30.0
_COUNTER = re.compile(r"^container_cpu_usage_seconds_total\{.*\} (\S+)$", re.MULTILINE)


def start(lab: Lab) -> None:
    """Make every counter run: they begin when first read, and metrics-server drops a counter of nought."""
    wait_until("counting of CPU time", lambda: _all_run(lab), within=COUNTERS_SECONDS)


def _all_run(lab: Lab) -> bool:
    texts = (read(f"http://{lab.address('kwok')}{metrics_path(node_name(index))}") for index in range(lab.nodes))
    values = [float(value) for text in texts for value in _COUNTER.findall(text)]
    nodes = {node_name(index) for index in range(lab.nodes)}
    pods = lab.api.items("/api/v1/pods?fieldSelector=status.phase%3DRunning")
    expected = sum(len(pod["spec"]["containers"]) for pod in pods if pod["spec"]["nodeName"] in nodes)
    return len(values) >= expected and all(values)
