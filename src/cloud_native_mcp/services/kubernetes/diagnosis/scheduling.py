"""Why no node takes a pod, read from the scheduler's words.

The message lists how many nodes refuse it for which reason: ``0/5 nodes are available: 2 Insufficient memory, 3 node(s)
had untolerated taint {key: value}. preemption: …``. Source: the scheduler's plugins in ``pkg/scheduler/framework``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


def _reasons(*rows: tuple[str, str, str]) -> Sequence[tuple[re.Pattern[str], str, str]]:
    """Patterns of the scheduler's words, each with the sort of reason and what to do about it."""
    return [(re.compile(pattern), kind, advice) for pattern, kind, advice in rows]


_HEAD: Final = re.compile(r"(\d+)/(\d+) nodes are available: ?")
_TERM: Final = re.compile(r"(?:^|, )(\d+) ((?:(?!, \d+ ).)+)")
_KINDS: Final = _reasons(
    (r"Insufficient cpu", "cpu", "lower the requests, or add nodes"),
    (r"Insufficient memory", "memory", "lower the requests, or add nodes"),
    (r"Insufficient ephemeral-storage", "disk", "lower the requests, or add nodes"),
    (r"Insufficient (\S+)", "resource", "no node has enough of that resource left"),
    (r"[Tt]oo many pods", "pods", "the nodes hold as many pods as they may"),
    (r"untolerated taint", "taint", "tolerate the taint, or remove it"),
    (r"unschedulable", "cordoned", "uncordon a node"),
    (r"topology spread", "spread", "the spread constraints leave no node"),
    (r"anti-affinity|pod affinity|inter-pod", "pod affinity", "other pods stand in the way or are missing"),
    (r"affinity/selector|node selector", "affinity", "no node has the labels that the pod asks for"),
    (r"volume node affinity", "volume", "its volume can be used on other nodes only"),
    (r"max volume count", "volume", "the nodes have as many volumes as they may"),
    (r"free ports", "port", "another pod holds the host port on every node"),
)
_WHOLE: Final = _reasons(
    (r"unbound immediate PersistentVolumeClaims", "volume", "its claim is not bound"),
    (r'persistentvolumeclaim "[^"]*" not found', "volume", "its claim does not exist"),
    (r"persistentvolumeclaim .* being deleted", "volume", "its claim is being deleted"),
    (r"didn't find available persistent volumes", "volume", "no volume fits its claim"),
)


@dataclass(frozen=True, slots=True)
class Refusals:
    """What keeps a pod from being placed: ``memory`` on 5 of 5 nodes, ….

    Attributes:
        kinds: which sorts of reasons there are, the most frequent first.
        words: the reasons in one sentence.
    """

    kinds: Sequence[str]
    words: str


def refusals(message: str) -> Refusals:
    """The reasons in a scheduler's message; its first sentence where it has an unknown form."""
    text = message.partition(" preemption:")[0].rstrip(". ")
    for pattern, kind, advice in _WHOLE:
        if pattern.search(text):
            return Refusals((kind,), f"{kind}: {advice}")
    head = _HEAD.search(text)
    if head is None:
        return Refusals((), text)
    found: dict[str, tuple[int, str]] = {}
    for count, reason in _TERM.findall(text[head.end() :]):
        kind, advice = _kind(reason)
        before = found.get(kind, (0, advice))
        found[kind] = (before[0] + int(count), advice)
    ordered = sorted(found.items(), key=lambda one: -one[1][0])
    words = "; ".join(f"{kind} on {count} of {head[2]} nodes: {advice}" for kind, (count, advice) in ordered)
    return Refusals(tuple(kind for kind, _ in ordered), words or text)


def _kind(reason: str) -> tuple[str, str]:
    for pattern, kind, advice in _KINDS:
        if found := pattern.search(reason):
            return (found[1], advice) if kind == "resource" else (kind, advice)
    return "other", reason
