"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.services.kubernetes.severity import RANK

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.severity import Severity

Check = Literal[
    "pod_security",
    "rbac",
    "network_policies",
    "secrets",
    "images",
    "reliability",
    "deprecated_apis",
    "policy_reports",
    "certificates",
    "unused",
    "cost",
]
COLUMNS: Final = ("SEVERITY", "CHECK", "RULE", "OBJECT", "WHY", "FIX")


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect of one object.

    Attributes:
        rule: the check's own name of what is broken.
        object: kind, namespace and name, as in ``Deployment shop/web``.
    """

    severity: Severity
    check: Check
    rule: str
    object: str
    why: str
    fix: str

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """The worst first, then by check and object."""
        return (RANK[self.severity], self.check, self.object, self.rule, self.why)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of `COLUMNS`."""
        return (self.severity, self.check, self.rule, self.object, self.why, self.fix)


def named(kind: str, namespace: str, name: str) -> str:
    """An object in the words of an answer."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
