"""Which operations there are: a row for each kind and action. A new operation is a new row.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.operations import certificates, jobs
from cloud_native_mcp.services.kubernetes.operations.fields import restart, set_spec
from cloud_native_mcp.services.kubernetes.operations.undoing import undo_by_controller_revision, undo_deployment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.operations.subject import Action, Performed, Subject


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one kind.

    Attributes:
        undo: how it is taken back, in words.
        until: the state that ``wait_seconds`` waits for, as `parse_until` takes it; empty when nothing follows.
    """

    group: str
    kind: str
    action: Action
    perform: Callable[[Subject], Awaitable[Performed]]
    undo: str
    until: str = ""


_AGAIN: Final = "undo: action undo returns to the revision before"
_DELETE: Final = "undo: delete the new Job"
_READY: Final = "ready"
_NEVER: Final = "this decision cannot be taken back"

OPERATIONS: Final[Sequence[Operation]] = (
    Operation("apps", "Deployment", "restart", restart, _AGAIN, _READY),
    Operation("apps", "Deployment", "undo", undo_deployment, _AGAIN, _READY),
    Operation("apps", "Deployment", "pause", set_spec("paused", True), "undo: action resume"),  # noqa: FBT003 - the value
    Operation("apps", "Deployment", "resume", set_spec("paused", None), "undo: action pause", _READY),
    Operation("apps", "StatefulSet", "restart", restart, _AGAIN, _READY),
    Operation("apps", "StatefulSet", "undo", undo_by_controller_revision, _AGAIN, _READY),
    Operation("apps", "DaemonSet", "restart", restart, _AGAIN, _READY),
    Operation("apps", "DaemonSet", "undo", undo_by_controller_revision, _AGAIN, _READY),
    Operation("batch", "CronJob", "suspend", set_spec("suspend", True), "undo: action resume"),  # noqa: FBT003
    Operation("batch", "CronJob", "resume", set_spec("suspend", False), "undo: action suspend"),  # noqa: FBT003
    Operation("batch", "CronJob", "trigger", jobs.trigger, _DELETE, _READY),
    Operation("batch", "Job", "suspend", set_spec("suspend", True), "undo: action resume", "condition=Suspended"),  # noqa: FBT003
    Operation("batch", "Job", "resume", set_spec("suspend", False), "undo: action suspend", _READY),  # noqa: FBT003
    Operation("batch", "Job", "rerun", jobs.rerun, _DELETE, _READY),
    Operation("", "Node", "cordon", set_spec("unschedulable", True), "undo: action uncordon"),  # noqa: FBT003
    Operation("", "Node", "uncordon", set_spec("unschedulable", None), "undo: action cordon"),
    Operation("certificates.k8s.io", "CertificateSigningRequest", "approve", certificates.approve, _NEVER, _READY),
    Operation("certificates.k8s.io", "CertificateSigningRequest", "deny", certificates.deny, _NEVER),
)


def operation_of(resource: Resource, action: Action) -> Operation:
    """The operation of a kind.

    Raises:
        ToolError: ``unsupported_action``, with what the kind has.
    """
    of_kind = [one for one in OPERATIONS if (one.group, one.kind) == (resource.group, resource.kind)]
    found = next((one for one in of_kind if one.action == action), None)
    if found is not None:
        return found
    has = ", ".join(one.action for one in of_kind)
    kinds = ", ".join(dict.fromkeys(one.kind for one in OPERATIONS if one.action == action))
    hint = f"it has {has}" if has else f"of the kinds that have it: {kinds}"
    raise ToolError("unsupported_action", f"action: {resource.display} have no {action}; {hint}")
