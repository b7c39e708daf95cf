"""Deciding on requests for certificates.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#approval-rejection
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.operations.subject import Performed

if TYPE_CHECKING:
    from cloud_native_mcp.services.kubernetes.operations.subject import Subject


async def approve(subject: Subject) -> Performed:
    """Approve, which gives whoever asked a credential of the cluster: only where the operator permits it."""
    signer = as_str(dig(subject.object, "spec", "signerName"))
    user = as_str(dig(subject.object, "spec", "username"))
    subject.client.policy.require("approve_certificates", f"approving a certificate of {signer} for {user}")
    return await _decided(subject, "Approved")


async def deny(subject: Subject) -> Performed:
    """Deny."""
    return await _decided(subject, "Denied")


async def _decided(subject: Subject, decision: Literal["Approved", "Denied"]) -> Performed:
    conditions = [as_dict(one) for one in as_list(dig(subject.object, "status", "conditions"))]
    taken = [as_str(one.get("type")) for one in conditions if one.get("type") in {"Approved", "Denied"}]
    if taken:
        raise ToolError("conflict", f"action: {subject.label} is {taken[0].lower()} already, which cannot be changed")
    condition = {
        "type": decision,
        "status": "True",
        "reason": f"{decision}ByOperation",
        "message": f"{decision.lower()} through {writes.FIELD_MANAGER}",
        "lastUpdateTime": subject.now,
    }
    status = {**as_dict(subject.object.get("status")), "conditions": [*conditions, condition]}
    written = await writes.replace(
        subject.client,
        subject.resource,
        subject.name,
        {**subject.object, "status": status},
        subresource="approval",
        dry_run=subject.dry_run,
        deadline=subject.deadline,
    )
    return Performed(written, subject.resource, subject.object, of_status=True)
