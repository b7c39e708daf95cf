"""metrics-server: the resource metrics API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lab import counters
from lab.kube import ApiError, parse_manifests
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab

APISERVICE = Path(__file__).parent.parent / "conf" / "metrics-apiservice.yaml"


class MetricsServer(Server):
    """Scrapes the fake kubelets and answers through the API server's aggregation."""

    name = "metrics-server"
    needs = ("kwok",)
    ports = ("metrics-server",)
    patience = 120.0

    def prepare(self, lab: Lab) -> None:
        """Register the aggregated API; a Service may not point to loopback, an external name may."""
        text = APISERVICE.read_text(encoding="utf-8").replace("@PORT@", str(lab.ports[self.name]))
        for manifest in parse_manifests(text):
            lab.api.apply(manifest)
        counters.start(lab)

    def command(self, lab: Lab) -> list[str]:
        """The resolution must be longer than a request to a kubelet may take."""
        kubeconfig = lab.kubeconfig(self.name)
        return [
            lab.binary(self.name),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={lab.ports[self.name]}",
            f"--tls-cert-file={lab.pki('metrics-server.crt')}",
            f"--tls-private-key-file={lab.pki('metrics-server.key')}",
            "--kubelet-insecure-tls",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            "--metric-resolution=10s",
            "--kubelet-request-timeout=5s",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """The API server hands out metrics of every node that has a running pod."""
        running = lab.api.items("/api/v1/pods?fieldSelector=status.phase%3DRunning")
        try:
            measured = lab.api.items("/apis/metrics.k8s.io/v1beta1/nodes")
        except ApiError:
            return False
        return {pod["spec"]["nodeName"] for pod in running} <= {node["metadata"]["name"] for node in measured}
