"""The states one can wait for, and whether an object is there, may still get there, or never will.

``ready`` and ``complete`` follow ``kubectl rollout status`` and ``kubectl wait``:
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.pods import pod_status, ready_count
from cloud_native_mcp.backends.kubernetes.readiness import readiness_of
from cloud_native_mcp.backends.kubernetes.rollout_state import condition, state_of
from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.contract.jsonpath import parse_jsonpath
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.backends.kubernetes.resources import Resource

    Judge = Callable[[Resource, Mapping[str, object]], "Verdict"]

WORDS: Final = ("ready", "exists", "deleted", "rollout", "complete")
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far one object is: whether it is there, its state in words, and why it never will be, when that is so."""

    met: bool
    state: str
    impossible: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A state to wait for. ``absent`` means that the objects are to be gone."""

    text: str
    judge: Judge
    absent: bool = False


def parse_until(text: str) -> Wanted:
    """The state an ``until`` argument names.

    Raises:
        InvalidArgument: it names none.
    """
    if text.startswith("condition="):
        return Wanted(text, _condition(text.removeprefix("condition=")))
    if text[:1] in {".", "{", "$"} and "=" in text:
        return Wanted(text, _value(text))
    judges: dict[str, Judge] = {
        "ready": _ready,
        "exists": lambda resource, obj: Verdict(met=True, state=readiness_of(resource, obj) or "exists"),
        "deleted": lambda resource, obj: Verdict(met=False, state=_leaving(resource, obj)),
        "rollout": _rollout,
        "complete": _complete,
    }
    if text not in judges:
        near = nearest(text, WORDS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        known = f"{', '.join(WORDS)}, condition=Type[=Status] or .json.path=value"
        raise InvalidArgument("until", f"is none of {known}{hint}")
    return Wanted(text, judges[text], absent=text == "deleted")


def _ready(resource: Resource, obj: Mapping[str, object]) -> Verdict:
    if resource.group == "apps" and resource.kind in _WORKLOADS:
        return _rollout(resource, obj)
    if (resource.group, resource.kind) == ("", "Pod"):
        ready, total = ready_count(obj)
        state = f"{ready}/{total} {pod_status(obj)}"
        ended = as_str(dig(obj, "status", "phase")) in {"Succeeded", "Failed"}
        return Verdict(condition(obj, "Ready").get("status") == "True", state, "the pod has ended" if ended else "")
    if resource.kind == "Job":
        return _complete(resource, obj)
    if resource.kind == "CertificateSigningRequest":
        return _issued(obj)
    state = readiness_of(resource, obj)
    for kind in ("Ready", "Available", "Established"):
        if found := condition(obj, kind):
            met = found.get("status") == "True"
            return Verdict(met, state or f"{kind}={as_str(found.get('status'))} {as_str(found.get('reason'))}".strip())
    phase = as_str(dig(obj, "status", "phase"))
    return Verdict(phase in {"", "Active", "Bound", "Ready", "Running", "Succeeded"}, phase or "exists")


def _issued(obj: Mapping[str, object]) -> Verdict:
    """Whether a request for a certificate has got it: approving it only lets its signer begin."""
    if dig(obj, "status", "certificate"):
        return Verdict(met=True, state="issued")
    for kind in ("Denied", "Failed"):
        if (found := condition(obj, kind)).get("status") == "True":
            return Verdict(met=False, state=kind.lower(), impossible=f"{kind.lower()}: {as_str(found.get('message'))}")
    approved = condition(obj, "Approved").get("status") == "True"
    return Verdict(met=False, state="approved, not issued yet" if approved else "not decided yet")


def _rollout(resource: Resource, obj: Mapping[str, object]) -> Verdict:
    if resource.kind not in _WORKLOADS:
        raise InvalidArgument("until", f"{resource.display} has no rollouts; wait for ready or a condition")
    state = state_of(resource.kind, obj)
    exceeded = as_str(condition(obj, "Progressing").get("reason")) == "ProgressDeadlineExceeded"
    stopped = "progress deadline exceeded" if exceeded and state.phase == "stuck" else ""
    return Verdict(state.phase == "done", state.sentence, "it is paused" if state.phase == "paused" else stopped)


def _complete(resource: Resource, obj: Mapping[str, object]) -> Verdict:
    state = readiness_of(resource, obj) or "exists"
    if resource.kind == "Pod":
        phase = as_str(dig(obj, "status", "phase"))
        return Verdict(phase == "Succeeded", phase, "the pod failed" if phase == "Failed" else "")
    failed = condition(obj, "Failed")
    why = f"failed: {as_str(failed.get('reason'))} {as_str(failed.get('message'))}".rstrip()
    return Verdict(
        condition(obj, "Complete").get("status") == "True", state, why if failed.get("status") == "True" else ""
    )


def _condition(text: str) -> Judge:
    kind, _, status = text.partition("=")
    if not kind:
        raise InvalidArgument("until", "condition= needs a type, as in condition=Ready or condition=Ready=False")
    wanted = (status or "True").lower()

    def judge(_: Resource, obj: Mapping[str, object]) -> Verdict:
        found = next(
            (
                as_dict(c)
                for c in as_list(dig(obj, "status", "conditions"))
                if as_str(dig(c, "type")).lower() == kind.lower()
            ),
            dict[str, object](),
        )
        now = as_str(found.get("status"), "absent")
        reason = as_str(found.get("reason"))
        return Verdict(now.lower() == wanted, f"{kind}={now}{f' ({reason})' if reason else ''}")

    return judge


def _value(text: str) -> Judge:
    expression, _, wanted = text.rpartition("=")
    path = parse_jsonpath(expression.rstrip("="), field="until")

    def judge(_: Resource, obj: Mapping[str, object]) -> Verdict:
        found = [one if isinstance(one, str) else json.dumps(one) for one in path.find(obj)]
        return Verdict(wanted in found, f"{expression}={', '.join(found) or 'absent'}"[:200])

    return judge


def _leaving(resource: Resource, obj: Mapping[str, object]) -> str:
    if not dig(obj, "metadata", "deletionTimestamp"):
        return "not being deleted"
    finalizers = [as_str(one) for one in as_list(dig(obj, "metadata", "finalizers"))]
    return (
        f"waiting on finalizer {', '.join(finalizers)}" if finalizers else readiness_of(resource, obj) or "terminating"
    )
