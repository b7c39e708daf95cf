"""Reading of exit codes, of the scheduler's words, of refusals, and of schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.services.kubernetes.diagnosis.exit_codes import explained
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, ranked
from cloud_native_mcp.services.kubernetes.diagnosis.jobs import last_due
from cloud_native_mcp.services.kubernetes.diagnosis.refusals import refused
from cloud_native_mcp.services.kubernetes.diagnosis.scheduling import refusals

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.diagnosis.finding import Severity


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
