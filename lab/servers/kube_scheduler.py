"""The scheduler of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.probes import answers
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab


class KubeScheduler(Server):
    """One instance without leader election."""

    name = "kube-scheduler"
    needs = ("kube-apiserver",)
    ports = ("kube-scheduler",)

    def command(self, lab: Lab) -> list[str]:
        """See https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/."""
        kubeconfig = lab.kubeconfig(self.name)
        return [
            lab.binary(self.name),
            "--bind-address=127.0.0.1",
            f"--secure-port={lab.ports[self.name]}",
            f"--cert-dir={lab.data(self.name)}",
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """Its health page says so."""
        return answers(f"https://{lab.address(self.name)}/healthz")
