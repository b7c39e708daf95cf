"""The checks by name, and running them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.auditing.certificates import certificates
from cloud_native_mcp.services.kubernetes.auditing.cost import cost
from cloud_native_mcp.services.kubernetes.auditing.deprecated_apis import deprecated_apis
from cloud_native_mcp.services.kubernetes.auditing.finding import Check
from cloud_native_mcp.services.kubernetes.auditing.images import images
from cloud_native_mcp.services.kubernetes.auditing.network_policies import network_policies
from cloud_native_mcp.services.kubernetes.auditing.pod_security import pod_security
from cloud_native_mcp.services.kubernetes.auditing.policy_reports import policy_reports
from cloud_native_mcp.services.kubernetes.auditing.rbac import rbac
from cloud_native_mcp.services.kubernetes.auditing.reliability import reliability
from cloud_native_mcp.services.kubernetes.auditing.secrets import secrets
from cloud_native_mcp.services.kubernetes.auditing.unused import unused
from cloud_native_mcp.services.kubernetes.reading import FATAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.auditing.finding import Finding
    from cloud_native_mcp.services.kubernetes.reading import Reader

CHECKS: Final[Mapping[Check, Callable[[Reader], Awaitable[Sequence[Finding]]]]] = {
    "pod_security": pod_security,
    "rbac": rbac,
    "network_policies": network_policies,
    "secrets": secrets,
    "images": images,
    "reliability": reliability,
    "deprecated_apis": deprecated_apis,
    "policy_reports": policy_reports,
    "certificates": certificates,
    "unused": unused,
    "cost": cost,
}
NAMES: Final[Sequence[Check]] = get_args(Check)


async def run_checks(reader: Reader, wanted: Sequence[Check]) -> tuple[dict[Check, Sequence[Finding]], list[str]]:
    """The findings of each check that was done, and a line for each that was not.

    Raises:
        ToolError: the cluster as a whole cannot be asked.
    """
    found: dict[Check, Sequence[Finding]] = {}
    failed: list[str] = []
    for name in wanted:
        try:
            found[name] = await CHECKS[name](reader)
        except ToolError as error:
            if error.code in FATAL:
                raise
            failed.append(f"{name}: not done: {error.code}: {error.text}")
            reader.gaps[:] = [gap for gap in reader.gaps if not gap.startswith(f"{name}:")]
    return found, failed
