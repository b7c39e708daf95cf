"""The grammar of ``k8s:NAMESPACE/NAME/KEY``: one key of a Secret in the cluster the server knows by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cloud_native_mcp.errors import ConfigError, Problem

CLUSTER: Final = "k8s:"

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_REFERENCE: Final = re.compile(
    rf"{CLUSTER}(?P<namespace>{_LABEL})/(?P<name>{_LABEL}(?:\.{_LABEL})*)/(?P<key>[-._a-zA-Z0-9]{{1,253}})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ClusterReference:
    """Where a secret is in a cluster."""

    namespace: str
    name: str
    key: str


def parse_cluster_reference(reference: str) -> ClusterReference:
    """What a reference names.

    Raises:
        ConfigError: it is not of that form.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ConfigError([Problem(reference, "write k8s:NAMESPACE/NAME/KEY, the key of a Secret")])
    return ClusterReference(found["namespace"], found["name"], found["key"])
