"""The service account of the pod this server runs in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
from cloud_native_mcp.backends.kubernetes.credentials import TokenFile
from cloud_native_mcp.contract.http import TlsOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def in_cluster_access(environ: Mapping[str, str], folder: Path = ACCOUNT_FOLDER) -> ClusterAccess | None:
    """Access with the pod's own account, or None outside a pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    token = folder / "token"
    if not host or not port or not token.is_file():
        return None
    authority = folder / "ca.crt"
    return ClusterAccess(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=_namespace(folder / "namespace"),
        context="in-cluster",
        tls=TlsOptions(ca_file=authority if authority.is_file() else None),
        credentials=TokenFile(token),
    )


def _namespace(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip() or "default"
    except (OSError, UnicodeDecodeError):
        return "default"
