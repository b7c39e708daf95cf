"""The standards of pod security as this server measures them, against the API server that enforces them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import Template
from cloud_native_mcp.services.kubernetes.auditing.standards import BASELINE, RESTRICTED, violations
from lab.kube import ApiError
from tests.services.kubernetes.audited_pods import NEITHER, ONLY_BASELINE
from tests.services.kubernetes.audited_pods import RESTRICTED as HARDENED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.services.kubernetes.auditing.standards import Control
    from tests.services.kubernetes.scratch import Scratch

EVERY = {**HARDENED, **ONLY_BASELINE, **NEITHER}
IMPOSSIBLE = {"proc unmasked"}
"""Pods that API servers of today take for invalid whatever the level; older ones do not."""
ENFORCE = "pod-security.kubernetes.io/enforce"


def broken(pod: dict[str, Any], controls: Iterable[Control]) -> set[str]:
    """The names of the controls that the pod breaks."""
    return {control.rule for control, _ in violations(msgspec.convert(pod, Template), controls)}


@pytest.mark.parametrize("name", HARDENED)
def test_a_pod_that_keeps_restricted_breaks_nothing(name: str) -> None:
    assert broken(HARDENED[name], (*BASELINE, *RESTRICTED)) == set()


@pytest.mark.parametrize("name", ONLY_BASELINE)
def test_a_pod_that_keeps_only_baseline_breaks_restricted(name: str) -> None:
    assert broken(ONLY_BASELINE[name], BASELINE) == set()
    assert broken(ONLY_BASELINE[name], RESTRICTED)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("privileged", "privileged"),
        ("privileged init", "privileged"),
        ("hostNetwork", "host_namespaces"),
        ("hostPID", "host_namespaces"),
        ("hostIPC", "host_namespaces"),
        ("hostPath", "host_path"),
        ("hostPort", "host_ports"),
        ("SYS_ADMIN", "capabilities"),
        ("NET_RAW", "capabilities"),
        ("seccomp unconfined", "seccomp"),
        ("seccomp unconfined by the pod", "seccomp"),
        ("apparmor", "apparmor"),
        ("apparmor by the pod", "apparmor"),
        ("apparmor annotation", "apparmor"),
        ("selinux type", "selinux"),
        ("selinux user", "selinux"),
        ("selinux role by the pod", "selinux"),
        ("proc unmasked", "proc_mount"),
        ("sysctl", "sysctls"),
        ("probe elsewhere", "host_probes"),
        ("tcp probe elsewhere", "host_probes"),
        ("hook elsewhere", "host_probes"),
    ],
)
def test_each_control_of_baseline_is_broken_alone(name: str, rule: str) -> None:
    assert broken(NEITHER[name], BASELINE) == {rule}


def test_a_host_process_is_seen() -> None:
    assert broken(NEITHER["host process"], BASELINE) == {"host_process", "host_namespaces"}


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_exactly_the_pods_that_break_a_standard_are_refused_by_the_api_server(scratch: Scratch, level: str) -> None:
    scratch.api.merge(f"/api/v1/namespaces/{scratch.namespace}", {"metadata": {"labels": {ENFORCE: level}}})
    controls = BASELINE if level == "baseline" else (*BASELINE, *RESTRICTED)
    possible = {name: pod for name, pod in EVERY.items() if name not in IMPOSSIBLE}
    ours = {name: bool(broken(pod, controls)) for name, pod in possible.items()}
    theirs = {name: refused(scratch, pod, level) for name, pod in possible.items()}
    assert ours == theirs


def refused(scratch: Scratch, pod: dict[str, Any], level: str) -> bool:
    """Whether the API server refuses the pod for its security; nothing is stored.

    Raises:
        ApiError: it is refused for another reason: then it measures nothing.
    """
    try:
        scratch.api.request("POST", f"{scratch.path('v1', 'pods')}?dryRun=All", pod)
    except ApiError as error:
        if f'violates PodSecurity "{level}:latest"' not in str(error):
            raise
        return True
    return False
