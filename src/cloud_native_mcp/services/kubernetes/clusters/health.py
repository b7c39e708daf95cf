"""Health of a cluster's API: failed checks, aggregated APIs that do not answer, version skew, expiring credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography import x509

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_page
from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import TlsOptions

SOON_DAYS: Final = 30
OLDEST_KUBELET: Final = 3
"""Minor versions a kubelet may be behind its API server (https://kubernetes.io/releases/version-skew-policy/)."""
_FAILED_CHECK: Final = re.compile(r"^\[-\](\S+)", re.MULTILINE)
_MINOR: Final = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``ok``, ``warning``, ``failed`` or ``not checked``, and the details."""

    name: str
    state: str
    details: str


class _Condition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _ApiStatus(msgspec.Struct, gc=False):
    conditions: list[_Condition] = []


class _ApiService(msgspec.Struct, gc=False):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _ApiStatus = msgspec.field(default_factory=_ApiStatus)


async def probe_checks(client: KubernetesClient, *, deadline: Deadline) -> list[Check]:
    """``/readyz`` and ``/livez`` with the names of the checks that fail."""
    found: list[Check] = []
    for path in ("/readyz", "/livez"):
        try:
            answer = await client.health(path, deadline=deadline)
        except BackendError as error:
            if error.status is None:
                raise
            found.append(Check(path, "not checked", error.code))
        else:
            failed: list[str] = _FAILED_CHECK.findall(answer.body.decode("utf-8", "replace"))
            fine = answer.status == HTTPStatus.OK and not failed
            found.append(Check(path, "ok" if fine else "failed", ", ".join(failed)))
    return found


async def api_services(client: KubernetesClient, *, deadline: Deadline) -> list[Check]:
    """Aggregated APIs whose server does not answer; one line that says so when all do."""
    resource = await client.discovery.find("apiregistration.k8s.io", "", "APIService", deadline=deadline)
    if resource is None:
        return []
    try:
        page = await list_page(client, resource, ListQuery(), item=_ApiService, deadline=deadline)
    except BackendError as error:
        return [Check("aggregated APIs", "not checked", error.code)]
    down = [
        Check(f"APIService {one.metadata.name}", "failed", f"{condition.reason}: {condition.message}")
        for one in page.items
        for condition in one.status.conditions
        if condition.type == "Available" and condition.status != "True"
    ]
    return down or [Check("aggregated APIs", "ok", f"{len(page.items)} available")]


def version_skew(server: str, kubelets: Iterable[str]) -> Check:
    """Whether every kubelet's version is allowed with the API server's."""
    own = _minor(server)
    bad = sorted(
        version
        for version in kubelets
        if (minor := _minor(version)) is None
        or own is None
        or minor[0] != own[0]
        or not 0 <= own[1] - minor[1] <= OLDEST_KUBELET
    )
    if bad:
        return Check("version skew", "warning", f"kubelets {', '.join(bad)} with API server {server}")
    return Check("version skew", "ok", f"kubelets {', '.join(sorted(kubelets)) or 'not known'} with {server}")


def client_certificate(tls: TlsOptions) -> Check | None:
    """How long the certificate this server shows the cluster is good; None when it shows none."""
    pem = tls.cert_data or (tls.cert_file.read_bytes() if tls.cert_file and tls.cert_file.is_file() else b"")
    if not pem:
        return None
    expiry = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    left = expiry - datetime.now(UTC)
    words = f"until {expiry.date().isoformat()} ({format_age(left)} left)" if left.total_seconds() > 0 else "EXPIRED"
    state = "ok" if left.days >= SOON_DAYS else "warning" if left.total_seconds() > 0 else "failed"
    return Check("client certificate", state, words)


def _minor(version: str) -> tuple[int, int] | None:
    match = _MINOR.match(version)
    return (int(match[1]), int(match[2])) if match else None
