"""What an API server says when the kubelet of a node is to answer and does not.

Source: https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/ (API server to kubelet).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.status import KubernetesError

UNREACHABLE: Final = "kubelet_unreachable"
UNREACHABLE_MEANING: Final = "the API server cannot reach the kubelet of that node"
_SIGNS: Final = (
    "error trying to reach service",
    "dial tcp",
    "/containerLogs/",
    "proxy error from",
    "No agent available",
)
"""Parts of the texts: node proxy, connection, pods/log, and the tunnel of hosted control planes."""


def is_unreachable(error: KubernetesError) -> bool:
    """Whether the API server answered, but could not ask the kubelet."""
    return (error.status or 0) >= 500 and any(sign in error.message for sign in _SIGNS)


def kubelet_unreachable(node: str, error: KubernetesError) -> ToolError:
    """The error that names the node."""
    where = f"node {node}" if node else "the node"
    text = f"the kubelet of {where} does not answer the API server: {error.message or error.text}"
    return ToolError(UNREACHABLE, text, kind="final")
