"""Which pods of a node are evicted, which stay, and which need a word of the caller: as kubectl decides it.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_drain/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.contract.json_values import as_list, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MIRROR: Final = "kubernetes.io/config.mirror"
_ENDED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Leave:
    """What the caller allows.

    Attributes:
        daemonsets: pods of DaemonSets may stay.
        emptydir: data in emptyDir volumes may be lost.
        unmanaged: pods that nothing creates again may go.
    """

    daemonsets: bool
    emptydir: bool
    unmanaged: bool


@dataclass(slots=True)
class Sorted:
    """The pods of a node.

    Attributes:
        evicted: those to evict.
        skipped: those that stay, by label, each with the reason.
        needed: the argument that pods need, and their labels.
    """

    evicted: list[ObjectMeta] = field(default_factory=list[ObjectMeta])
    skipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    needed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def need(self, argument: str, label: str) -> None:
        """Note that a pod cannot go without that argument."""
        self.needed.setdefault(argument, []).append(label)


def sort_pods(pods: Iterable[Mapping[str, object]], leave: Leave) -> Sorted:
    """Sort the pods of a node, in the order given."""
    found = Sorted()
    for pod in pods:
        metadata = msgspec.convert(pod.get("metadata"), ObjectMeta)
        label = label_of(metadata)
        if MIRROR in (metadata.annotations or {}):
            found.skipped.append((label, "stays: a static pod, which only its node can end"))
        elif as_str(dig(pod, "status", "phase")) in _ENDED:
            found.evicted.append(metadata)
        else:
            _sort_running(pod, metadata, leave, found)
    return found


def label_of(metadata: ObjectMeta) -> str:
    """``shop/web-1``."""
    return f"{metadata.namespace}/{metadata.name}"


def _sort_running(pod: Mapping[str, object], metadata: ObjectMeta, leave: Leave, found: Sorted) -> None:
    label, controller = label_of(metadata), _controller(pod)
    if controller == "DaemonSet":
        if leave.daemonsets:
            found.skipped.append((label, "stays: its DaemonSet would put it back"))
        else:
            found.need("ignore_daemonsets", label)
        return
    fits = True
    if not controller and not leave.unmanaged:
        found.need("force", label)
        fits = False
    if _has_emptydir(pod) and not leave.emptydir:
        found.need("delete_emptydir_data", label)
        fits = False
    if fits:
        found.evicted.append(metadata)


def _controller(pod: Mapping[str, object]) -> str:
    owners = as_list(dig(pod, "metadata", "ownerReferences"))
    return next((as_str(dig(owner, "kind")) for owner in owners if dig(owner, "controller") is True), "")


def _has_emptydir(pod: Mapping[str, object]) -> bool:
    return any(dig(volume, "emptyDir") is not None for volume in as_list(dig(pod, "spec", "volumes")))
