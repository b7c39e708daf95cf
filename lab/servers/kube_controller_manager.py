"""The controllers of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.probes import answers
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab


class KubeControllerManager(Server):
    """One instance without leader election, with a client rate that never slows the lab."""

    name = "kube-controller-manager"
    needs = ("kube-apiserver",)
    ports = ("kube-controller-manager",)

    def command(self, lab: Lab) -> list[str]:
        """See https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/."""
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
            "--use-service-account-credentials",
            f"--service-account-private-key-file={lab.pki('service-accounts.key')}",
            f"--root-ca-file={lab.pki('ca.crt')}",
            f"--cluster-signing-cert-file={lab.pki('ca.crt')}",
            f"--cluster-signing-key-file={lab.pki('ca.key')}",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--concurrent-deployment-syncs=10",
            "--concurrent-replicaset-syncs=10",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """Its health page says so."""
        return answers(f"https://{lab.address(self.name)}/healthz")
