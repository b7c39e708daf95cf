"""Refusals of writes in the words of the tools: which field, whose field, which namespace.

The texts are those of API server 1.37, where several causes share a status.
"""

from __future__ import annotations

import re
from typing import Final

from cloud_native_mcp.backends.kubernetes.status import KubernetesError
from cloud_native_mcp.errors import BackendError

OWN_ERRORS: Final = {
    "unknown_field": "the kind has no such field; the path is named",
    "field_conflict": "another manager owns a field; manager and field are named",
    "immutable_field": "a field cannot be changed after creation",
    "namespace_missing": "the namespace does not exist",
}
_UNDECLARED: Final = re.compile(r"(\S+): field not declared in schema|unknown field \"([^\"]+)\"")
_IMMUTABLE: Final = re.compile(r"field is immutable|may not be changed|updates to .* are forbidden", re.IGNORECASE)
_MOST_CAUSES: Final = 8


def explained(error: BackendError, *, what: str) -> BackendError:
    """The error of a write with the code that tells the caller what to do; any other error as it is.

    Args:
        what: the object, as the answer names it.
    """
    if not isinstance(error, KubernetesError):
        return error
    conflicts = [cause for cause in error.details.causes if cause.reason == "FieldManagerConflict"]
    if conflicts:
        named = "; ".join(f"{one.field} ({one.message})" for one in conflicts[:_MOST_CAUSES])
        more = f" and {len(conflicts) - _MOST_CAUSES} more" if len(conflicts) > _MOST_CAUSES else ""
        text = f"{what}: {named}{more}; leave the field out, or take it over with force_conflicts"
        return BackendError("field_conflict", text, kind="fix", status=error.status)
    if error.details.kind == "namespaces" and error.status == 404:
        text = f"{what}: namespace {error.details.name} does not exist; create it, or give create_namespace"
        return BackendError("namespace_missing", text, kind="fix", status=404)
    if found := _UNDECLARED.search(error.message):
        text = f"{what}: {found[1] or found[2]} is no field of this kind; see kubernetes_explain"
        return BackendError("unknown_field", text, kind="fix", status=error.status)
    if error.status == 422 and _IMMUTABLE.search(error.message):
        text = f"{what}: {error.message}; delete and create the object to change it"
        return BackendError("immutable_field", text, kind="fix", status=422)
    return error
