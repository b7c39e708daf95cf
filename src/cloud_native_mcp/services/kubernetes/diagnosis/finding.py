"""What a diagnosis finds, and the order in which it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.services.kubernetes.describe.facts import shortened
from cloud_native_mcp.services.kubernetes.severity import RANK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cloud_native_mcp.services.kubernetes.severity import Severity

Area = Literal[
    "pods",
    "workloads",
    "jobs",
    "nodes",
    "storage",
    "network",
    "autoscaling",
    "quotas",
    "control_plane",
    "certificates",
    "custom",
]
COLUMNS: Final = ("SEVERITY", "CODE", "OBJECT", "SINCE", "CAUSE", "EVIDENCE", "NEXT")
_LONGEST: Final = 240
"""Characters of a cause or of its evidence."""


class Ref(NamedTuple):
    """An object by its kind, namespace (empty for kinds in none) and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """As answers name it: ``Deployment shop/web``."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble of one object.

    Attributes:
        code: what is wrong, stable over versions.
        since: when it began, as far as the cluster tells.
        cause: what most likely leads to it, in this server's words.
        evidence: where that was read: a field path, an event, a message.
        next: a call of a tool that shows more.
        blast: how much is affected: pods, or objects behind it. Among equals the widest comes first.
        count: pods of one workload that have it.
        implies: codes that are only a consequence of this on the same object, and are then left out.
    """

    severity: Severity
    code: str
    object: Ref
    cause: str
    evidence: str
    next: str
    since: datetime | None = None
    blast: int = 1
    count: int = 0
    implies: frozenset[str] = frozenset()

    @property
    def order(self) -> tuple[int, int, float, Ref, str, str]:
        """The worst first, then the widest, then the newest."""
        began = self.since.timestamp() if self.since else 0.0
        return (RANK[self.severity], -self.blast, -began, self.object, self.code, self.cause)

    def cells(self, now: datetime) -> tuple[str, ...]:
        """The row of `COLUMNS`."""
        count = f" ({self.count} pods)" if self.count > 1 else ""
        return (
            self.severity,
            self.code,
            f"{self.object}{count}",
            format_age(now - self.since) if self.since else "",
            _within(self.cause),
            _within(self.evidence),
            self.next,
        )


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the order in which they are told, without those that only follow from another."""
    found = list(dict.fromkeys(findings))
    implied = {(one.object, code) for one in found for code in one.implies}
    return sorted((one for one in found if (one.object, one.code) not in implied), key=lambda one: one.order)


def on_target(finding: Finding, target: str) -> Finding:
    """The finding with a next call that names the cluster."""
    return replace(finding, next=f"{finding.next} target={target}") if finding.next else finding


def tool_call(tool: str, **arguments: str) -> str:
    """A call as answers show it: ``kubernetes_get kind=pod name=web-0 namespace=shop``; empty values are left out."""
    return " ".join((f"kubernetes_{tool}", *(f"{name}={value}" for name, value in arguments.items() if value)))


def look_at(ref: Ref, *, kind: str = "", **arguments: str) -> str:
    """The call that describes an object; ``kind`` where the object's kind alone is ambiguous."""
    return tool_call("get", kind=kind or ref.kind.lower(), name=ref.name, namespace=ref.namespace, **arguments)


def diagnose(ref: Ref, *, kind: str = "") -> str:
    """The call that explains what is wrong with an object."""
    return tool_call("diagnose", kind=kind or ref.kind.lower(), name=ref.name, namespace=ref.namespace)


def _within(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else shortened(line, _LONGEST)
