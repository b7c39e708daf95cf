"""Reading of exit codes, of the scheduler's words, of refusals, of schedules, and of what controllers report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.services.kubernetes.diagnosis.autoscaling import (
    Autoscaler,
    Budget,
    autoscaler_findings,
    budget_findings,
)
from cloud_native_mcp.services.kubernetes.diagnosis.custom import Custom, custom_findings
from cloud_native_mcp.services.kubernetes.diagnosis.exit_codes import explained
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, ranked
from cloud_native_mcp.services.kubernetes.diagnosis.jobs import last_due
from cloud_native_mcp.services.kubernetes.diagnosis.refusals import refused
from cloud_native_mcp.services.kubernetes.diagnosis.scheduling import refusals

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.severity import Severity


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (1, "Error", "exit 1: the program reported an error"),
        (126, "Error", "exit 126: the command cannot be executed"),
        (127, "Error", "exit 127: the command was not found"),
        (137, "OOMKilled", "exit 137 (SIGKILL): it used more memory than its limit"),
        (137, "Error", "exit 137 (SIGKILL): it was killed"),
        (139, "Error", "exit 139 (SIGSEGV): it crashed"),
        (143, "Error", "exit 143 (SIGTERM): it was told to stop"),
        (42, "Error", "exit 42: a code of the program's own"),
        (160, "Error", "exit 160 (signal 32): a code of the program's own"),
        (0, "Completed", "exit 0: it ended by itself"),
    ],
)
def test_exit_codes_are_explained(code: int, reason: str, words: str) -> None:
    assert explained(code, reason).startswith(words)


@pytest.mark.parametrize(
    ("message", "kinds", "words"),
    [
        (
            "0/5 nodes are available: 5 Insufficient memory. preemption: 0/5 nodes are available: x.",
            ["memory"],
            "5 of 5",
        ),
        (
            "0/6 nodes are available: 1 Insufficient cpu, 2 Insufficient memory, 3 node(s) had untolerated taint {a}",
            ["taint", "memory", "cpu"],
            "taint on 3 of 6 nodes",
        ),
        (
            "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match node affinity/selector.",
            ["affinity", "cordoned"],
            "no node has the labels",
        ),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", ["volume"], "other nodes only"),
        ("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.", ["pod affinity"], "other pods"),
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", ["nvidia.com/gpu"], "nvidia.com/gpu on 3 of 3"),
        ("0/3 nodes are available: 3 node(s) have a new reason.", ["other"], "a new reason"),
        ("pod has unbound immediate PersistentVolumeClaims", ["volume"], "is not bound"),
        ('persistentvolumeclaim "data" not found', ["volume"], "does not exist"),
        ("something else entirely", [], "something else entirely"),
    ],
)
def test_the_schedulers_words_are_split_by_reason(message: str, kinds: list[str], words: str) -> None:
    found = refusals(message)
    assert list(found.kinds) == kinds
    assert words in found.words


@pytest.mark.parametrize(
    ("message", "words", "call"),
    [
        ('pods "a" is forbidden: exceeded quota: small, requested: pods=1', "a quota", "kind=resourcequota name=small"),
        (
            'violates PodSecurity "restricted:latest": …',
            "pod security level",
            "kubernetes_get kind=namespace name=shop",
        ),
        ('failed calling webhook "a.b": connection refused', "does not answer", "reason=FailedCreate"),
        ('admission webhook "a.b" denied the request: no', "refuses it", "reason=FailedCreate"),
        ("maximum memory usage per Container is 8Gi, but limit is 9Gi", "LimitRange", "kind=limitranges"),
        ("error looking up service account shop/a: serviceaccount not found", "account", "kind=serviceaccounts"),
        ("no PriorityClass with name high was found", "PriorityClass", "reason=FailedCreate"),
        ("some new reason", "refuses its pods", "reason=FailedCreate"),
    ],
)
def test_refusals_of_pods_are_told_apart(message: str, words: str, call: str) -> None:
    told, next_call = refused(message, "shop")
    assert words in told
    assert call in next_call


@pytest.mark.parametrize(
    ("schedule", "zone", "due"),
    [
        ("*/5 * * * *", None, "2026-03-10T12:30:00+00:00"),
        ("0 3 * * *", None, "2026-03-10T03:00:00+00:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-03-10T02:00:00+00:00"),
        ("0 3 ? * SUN", None, "2026-03-08T03:00:00+00:00"),
        ("@hourly", None, "2026-03-10T12:00:00+00:00"),
        ("@every 1h", None, None),
        ("0 0 30 2 *", None, None),
        ("not a schedule", None, None),
        ("0 3 * * *", "Mars/Base", None),
    ],
)
def test_when_a_schedule_was_last_due(schedule: str, zone: str | None, due: str | None) -> None:
    found = last_due(schedule, zone, datetime(2026, 3, 10, 12, 34, 56, 7, tzinfo=UTC))
    assert (found.isoformat() if found else None) == due


def test_the_worst_the_widest_and_the_newest_come_first() -> None:
    def one(severity: Severity, name: str, day: int = 1, blast: int = 1) -> Finding:
        since = datetime(2026, 1, day, tzinfo=UTC)
        return Finding(severity, "x", Ref("Pod", "a", name), "", "", "", since, blast)

    given = [
        one("info", "e"),
        one("warning", "d"),
        one("critical", "c"),
        one("critical", "b", 5),
        one("critical", "a", 1, 9),
    ]
    assert [found.object.name for found in ranked(given)] == ["a", "b", "c", "d", "e"]


def test_what_follows_from_another_trouble_of_the_same_object_is_left_out() -> None:
    ref, other = Ref("Deployment", "a", "web"), Ref("Deployment", "a", "api")
    cause = Finding("critical", "crash_loop", ref, "", "", "", implies=frozenset({"pods_missing"}))
    missing = [Finding("warning", "pods_missing", about, "", "", "") for about in (ref, other)]
    assert [(one.code, one.object.name) for one in ranked([*missing, cause])] == [
        ("crash_loop", "web"),
        ("pods_missing", "api"),
    ]


def reported(*conditions: tuple[str, str, str], **status: object) -> dict[str, object]:
    """An object with a status as its controller writes it."""
    told = [{"type": kind, "status": value, "reason": reason, "message": "m"} for kind, value, reason in conditions]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 6}
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec, "status": {"conditions": told, **status}}


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([("AbleToScale", "True", "ReadyForNewScale"), ("ScalingActive", "True", "ValidMetricFound")], []),
        ([("ScalingActive", "False", "FailedGetResourceMetric")], ["warning hpa_no_metrics"]),
        ([("ScalingActive", "False", "FailedGetExternalMetric")], ["warning hpa_no_metrics"]),
        ([("ScalingActive", "False", "InvalidSelector")], ["warning hpa_unable"]),
        ([("ScalingActive", "False", "ScalingDisabled")], ["info hpa_off"]),
        ([("AbleToScale", "False", "FailedUpdateScale")], ["warning hpa_unable"]),
        ([("AbleToScale", "False", "FailedGetScale")], ["warning hpa_target_missing"]),
        ([("ScalingLimited", "True", "TooManyReplicas")], ["warning hpa_at_max"]),
        ([("ScalingLimited", "True", "TooFewReplicas")], []),
        ([("ScalingLimited", "False", "DesiredWithinRange")], []),
    ],
)
def test_what_autoscalers_report_is_told_apart(conditions: list[tuple[str, str, str]], found: list[str]) -> None:
    scaler = msgspec.convert(reported(*conditions), Autoscaler)
    assert [f"{one.severity} {one.code}" for one in autoscaler_findings(scaler)] == found


@pytest.mark.parametrize(
    ("allowed", "healthy", "expected", "words"),
    [
        (1, 3, 3, ""),
        (0, 0, 0, ""),
        (0, 2, 2, "even when all its pods are healthy"),
        (0, 1, 3, "too few of its pods are healthy"),
        (0, 2, 3, "some of its pods are not healthy"),
    ],
)
def test_why_a_budget_blocks_is_told(allowed: int, healthy: int, expected: int, words: str) -> None:
    counts = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": 2, "expectedPods": expected}
    budget = msgspec.convert({"metadata": {"name": "web"}, "status": counts}, Budget)
    causes = [one.cause for one in budget_findings(budget)]
    assert len(causes) == bool(words)
    assert all(words in cause for cause in causes)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, []),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, []),
        ({"status": {"conditions": [{"type": "Synced", "status": "False"}]}}, ["warning"]),
        ({"status": {"conditions": [{"type": "Stalled", "status": "True"}]}}, ["warning"]),
        ({"status": {"conditions": [{"type": "Ready", "status": "False"}]}, "spec": {"suspend": True}}, ["info"]),
        ({"status": {"health": {"status": "Degraded"}}}, ["warning"]),
        ({"status": {"health": "fine", "phase": "Failed"}}, ["warning"]),
        ({"status": {"phase": "Running"}}, []),
        ({"status": {"conditions": "none", "phase": 7}}, []),
        ({"status": "odd", "spec": ["odd"]}, []),
        ({}, []),
    ],
)
def test_custom_objects_are_read_whatever_they_hold(fields: dict[str, object], found: list[str]) -> None:
    resource = Resource("example.com", "v1", "Widget", "widgets")
    widget = msgspec.convert({"metadata": {"name": "web", "namespace": "shop"}, **fields}, Custom)
    told = list(custom_findings(resource, widget))
    assert [one.severity for one in told] == found
    assert all(one.next == "kubernetes_get kind=widgets.example.com name=web namespace=shop" for one in told)
