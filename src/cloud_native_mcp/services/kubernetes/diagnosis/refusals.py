"""Why the API refuses to create pods, read from its words.

Quota, pod security, webhooks and policies all refuse alike; only the text tells them apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.kubernetes.diagnosis.finding import tool_call

if TYPE_CHECKING:
    from collections.abc import Sequence

_REASONS: Final[Sequence[tuple[re.Pattern[str], str, str]]] = tuple(
    (re.compile(pattern), kind, words)
    for pattern, kind, words in (
        (
            r"exceeded quota: (\S+?),|failed quota: (\S+?):",
            "quota",
            "a quota of the namespace is used up or asks for more",
        ),
        (r"violates PodSecurity", "pod_security", "the pod security level of the namespace refuses it"),
        (r"failed calling webhook", "webhook", "an admission webhook that must be asked does not answer"),
        (
            r"admission webhook \S+ denied|ValidatingAdmissionPolicy",
            "webhook",
            "an admission webhook or policy refuses it",
        ),
        (r"(?:minimum|maximum) .* usage per", "limits", "a LimitRange of the namespace refuses it"),
        (
            r"error looking up service account|serviceaccount .* not found",
            "account",
            "its service account does not exist",
        ),
        (r"no PriorityClass", "priority", "its PriorityClass does not exist"),
        (r"is forbidden: User", "rights", "its controller may not create it"),
        (r"Invalid value|is invalid", "invalid", "the pod template is not valid"),
    )
)


def refused(message: str, namespace: str) -> tuple[str, str]:
    """Why pods are refused in words, and the call that shows more."""
    for pattern, kind, words in _REASONS:
        if found := pattern.search(message):
            if kind == "quota" and (name := next(filter(None, found.groups()), "")):
                return words, tool_call("get", kind="resourcequota", name=name, namespace=namespace)
            if kind == "limits":
                return words, tool_call("list", kind="limitranges", namespace=namespace)
            if kind == "account":
                return words, tool_call("list", kind="serviceaccounts", namespace=namespace)
            if kind == "pod_security":
                return words, tool_call("get", kind="namespace", name=namespace)
            return words, tool_call("events", namespace=namespace, reason="FailedCreate")
    return "the API refuses its pods", tool_call("events", namespace=namespace, reason="FailedCreate")
