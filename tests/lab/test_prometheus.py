"""Prometheus in the lab."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import pytest

from lab.probes import read, wait_until

if TYPE_CHECKING:
    from lab import LabEnv

pytestmark = pytest.mark.lab
FIRST_SCRAPES = 60.0
"""Seconds until every job of a fresh lab was scraped: the longest interval is 30 s."""
UP_JOBS = {"prometheus", "apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kwok", "kwok-nodes"}


def api(lab: LabEnv, path: str) -> dict[str, Any]:
    """The data of an API answer."""
    return cast("dict[str, Any]", json.loads(read(f"{lab.prometheus_url}/api/v1/{path}"))["data"])


def test_every_server_is_scraped_and_one_target_is_down(lab: LabEnv) -> None:
    def up() -> dict[str, str]:
        result = api(lab, f"query?query={quote('min by (job) (up)')}")["result"]
        return {entry["metric"]["job"]: entry["value"][1] for entry in result}

    wait_until(
        "scrape of every job", lambda: up() == {**dict.fromkeys(UP_JOBS, "1"), "always-down": "0"}, within=FIRST_SCRAPES
    )


def test_alerts_fire_are_pending_or_rest(lab: LabEnv) -> None:
    def states() -> dict[str, str]:
        groups = api(lab, "rules?type=alert")["groups"]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}

    wanted = {"LabAlwaysFiring": "firing", "TargetDown": "firing", "LabPending": "pending", "LabInactive": "inactive"}
    wait_until("evaluation of the alerts", lambda: states() == wanted, within=FIRST_SCRAPES)


def test_one_rule_fails_at_every_evaluation(lab: LabEnv) -> None:
    def errors() -> dict[str, str]:
        groups = api(lab, "rules?type=record")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return {rule["name"]: rule.get("lastError", "") for rule in rules if rule["health"] == "err"}

    wait_until("failure of the broken rule", lambda: set(errors()) == {"lab:broken:ratio"}, within=FIRST_SCRAPES)
    assert "many-to-many" in errors()["lab:broken:ratio"]


def test_promtool_accepts_the_configuration(lab: LabEnv) -> None:
    config = lab.state / "config" / "prometheus" / "prometheus.yml"
    done = subprocess.run([lab.promtool, "check", "config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_helm_answers(lab: LabEnv) -> None:
    command = [lab.helm, "list", "--all-namespaces", "--kubeconfig", lab.kubeconfig_admin]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
