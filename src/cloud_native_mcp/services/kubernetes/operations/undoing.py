"""Going back to an earlier pod template.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_undo/
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, dig
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object
from cloud_native_mcp.services.kubernetes.operations.fields import changed, refuse_paused
from cloud_native_mcp.services.kubernetes.rollouts.revisions import revisions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.writes import PatchType
    from cloud_native_mcp.services.kubernetes.operations.subject import Performed, Subject
    from cloud_native_mcp.services.kubernetes.rollouts.revisions import Revision

_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each further try: a controller that is at work writes several times in a row."""
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_OF_THE_CONTROLLER: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that stay those of the Deployment; all others are taken from the revision."""


async def undo_deployment(subject: Subject) -> Performed:
    """Put the template and annotations of a held ReplicaSet back, unless the Deployment changed meanwhile."""
    refuse_paused(subject, "undo")
    chosen = await _chosen(subject)
    return await _unless_changed(subject, lambda fresh: _deployment_patch(fresh, chosen), "json", chosen)


async def undo_by_controller_revision(subject: Subject) -> Performed:
    """Put the template of a held ControllerRevision back, unless the workload changed meanwhile."""
    chosen = await _chosen(subject)
    template = {**chosen.template, "$patch": "replace"}
    return await _unless_changed(
        subject,
        lambda fresh: {"metadata": {"resourceVersion": fresh.version}, "spec": {"template": template}},
        "strategic",
        chosen,
    )


def _deployment_patch(fresh: Subject, chosen: Revision) -> list[dict[str, object]]:
    own = as_dict(dig(fresh.object, "metadata", "annotations"))
    annotations = {
        **{k: v for k, v in own.items() if k in _OF_THE_CONTROLLER},
        **{k: v for k, v in chosen.annotations.items() if k not in _OF_THE_CONTROLLER},
    }
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": fresh.version},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
        {"op": "replace", "path": "/spec/template", "value": chosen.template},
    ]


async def _unless_changed(
    subject: Subject, body_for: Callable[[Subject], object], kind: PatchType, chosen: Revision
) -> Performed:
    """Patch the workload in the version that was read, or in a later one whose ``spec`` is the same.

    Its controller writes the status all the time, which changes the version too.

    Raises:
        BackendError: ``conflict``: someone changed the ``spec`` meanwhile.
    """
    fresh = subject
    for pause in _PAUSES:
        try:
            return await changed(fresh, body_for(fresh), kind=kind, sentence=_sentence(chosen))
        except BackendError as error:
            if error.code != "conflict":
                raise
            if subject.deadline.remaining <= pause:
                raise
            await asyncio.sleep(pause)
            fresh = replace(subject, object=await _again(subject))
            if _generation(fresh) != _generation(subject):
                raise
    return await changed(fresh, body_for(fresh), kind=kind, sentence=_sentence(chosen))


async def _again(subject: Subject) -> dict[str, object]:
    return await get_object(
        subject.client, subject.resource, subject.name, namespace=subject.namespace, deadline=subject.deadline
    )


def _generation(subject: Subject) -> object:
    return dig(subject.object, "metadata", "generation")


async def _chosen(subject: Subject) -> Revision:
    held = await revisions_of(subject.client, subject.resource, subject.object, deadline=subject.deadline)
    current = next((one for one in held if one.current), held[-1] if held else None)
    if not subject.revision:
        older = [one for one in held if current is not None and one.number < current.number]
        if not older:
            text = f"revision: {subject.label} holds no revision before the present one{_held(held)}"
            raise ToolError("revision_not_found", text)
        return older[-1]
    if not _NUMBER.fullmatch(subject.revision):
        raise InvalidArgument("revision", "is not the number of a revision; kubernetes_rollout view=history lists them")
    found = next((one for one in held if one.number == int(subject.revision)), None)
    if found is None:
        raise ToolError("revision_not_found", f"revision: {subject.revision} is not held{_held(held)}")
    return found


def _held(held: Sequence[Revision]) -> str:
    return f"; held: {', '.join(str(one.number) for one in held) or 'none'}"


def _sentence(chosen: Revision) -> str:
    return f"back to revision {chosen.number}, which gets a new number"
