"""Operations that set one field of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes import writes
from cloud_native_mcp.contract.json_values import dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.kubernetes.operations.subject import Performed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_native_mcp.services.kubernetes.operations.subject import Subject

RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"


def set_spec(field: str, value: object) -> Callable[[Subject], Awaitable[Performed]]:
    """The operation that sets a field of ``spec``; None removes it."""

    async def perform(subject: Subject) -> Performed:
        return await changed(subject, {"spec": {field: value}}, kind="merge")

    return perform


async def restart(subject: Subject) -> Performed:
    """Start a rollout of the same pod template, by the annotation that kubectl sets.

    Raises:
        ToolError: ``paused``: nothing would happen until the rollout is resumed.
    """
    refuse_paused(subject, "restart")
    template = {"metadata": {"annotations": {RESTARTED: subject.now}}}
    return await changed(subject, {"spec": {"template": template}}, kind="strategic")


def refuse_paused(subject: Subject, action: str) -> None:
    """Refuse what a paused rollout would swallow."""
    if dig(subject.object, "spec", "paused") is True:
        text = f"action: {subject.label} is paused, so {action} would have no effect; resume it first"
        raise ToolError("paused", text)


async def changed(subject: Subject, body: object, *, kind: writes.PatchType, sentence: str = "") -> Performed:
    """Patch the object itself."""
    written = await writes.patch(
        subject.client,
        subject.resource,
        subject.name,
        body,
        kind=kind,
        namespace=subject.namespace,
        dry_run=subject.dry_run,
        deadline=subject.deadline,
    )
    return Performed(written, subject.resource, subject.object, sentence)
