"""Objects as documents: without what the server keeps for itself, or ready to be applied again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.backends.kubernetes.meta import LAST_APPLIED
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.services.kubernetes.describe.facts import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT: Final = 2_000
"""Characters of one text (a certificate, a script) before it is cut with its length."""
_SERVER_SET: Final = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
        "selfLink",
        "managedFields",
    }
)
_ASSIGNED: Final[Mapping[str, frozenset[str]]] = {
    "Service": frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort"}),
    "Pod": frozenset({"nodeName"}),
    "PersistentVolumeClaim": frozenset({"volumeName"}),
}
_SERVER_ANNOTATIONS: Final = frozenset(
    {LAST_APPLIED, "deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"}
)


def cleaned(obj: Mapping[str, object]) -> dict[str, object]:
    """The object without ``managedFields``, the last-applied copy, nulls, and what is empty in its status.

    Long texts are cut, but not those of a Secret: what is shown of them is their length and digest, made when the
    answer is written.
    """
    metadata = {k: v for k, v in as_dict(obj.get("metadata")).items() if k != "managedFields"}
    annotations = {k: v for k, v in as_dict(metadata.get("annotations")).items() if k != LAST_APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    whole = frozenset({"data", "stringData"}) if obj.get("kind") == "Secret" else frozenset[str]()
    shown = {**obj, "metadata": metadata}
    return {key: value if key in whole else _cut(value, empty=key != "status") for key, value in shown.items()}


def exported(obj: Mapping[str, object]) -> dict[str, object]:
    """The object as it could be applied elsewhere: no status, and nothing that the server set. Texts are whole."""
    metadata = {k: v for k, v in as_dict(obj.get("metadata")).items() if k not in _SERVER_SET}
    annotations = {k: v for k, v in as_dict(metadata.get("annotations")).items() if k not in _SERVER_ANNOTATIONS}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    kept = {key: value for key, value in obj.items() if key != "status"} | {"metadata": metadata}
    assigned = _ASSIGNED.get(str(obj.get("kind")), frozenset())
    if assigned and (spec := as_dict(obj.get("spec"))):
        headless = spec.get("clusterIP") == "None"
        kept["spec"] = {k: v for k, v in spec.items() if k not in assigned or (headless and k == "clusterIP")}
    return kept


def _cut(value: object, *, empty: bool) -> object:
    """A copy with long texts cut and without nulls; without ``empty``, also without empty texts, lists and maps."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else shortened(value, LONGEST_TEXT)
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value).items()
        kept = {key: _cut(item, empty=empty) for key, item in fields if item is not None}
        return kept if empty else {key: item for key, item in kept.items() if item or item is False or item == 0}
    if isinstance(value, list):
        return [_cut(item, empty=empty) for item in cast("list[object]", value)]
    return value
