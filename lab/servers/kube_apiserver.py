"""The Kubernetes API server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lab import kubeconfig
from lab.kube import read_manifests
from lab.probes import answers
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab

RBAC = Path(__file__).parent.parent / "conf" / "rbac.yaml"
SERVICE_RANGE = "10.0.0.0/16"


class KubeApiserver(Server):
    """Authentication by client certificate and static token, authorisation by RBAC."""

    name = "kube-apiserver"
    needs = ("etcd",)
    artefacts = ("kubectl", "helm", "helm3")
    ports = ("kube-apiserver",)
    patience = 120.0

    def configure(self, lab: Lab) -> tuple[Path, ...]:
        """Write everyone's kubeconfig: they hold this server's address."""
        kubeconfig.write_all(lab.state, api_url=lab.api_url)
        return ()

    def command(self, lab: Lab) -> list[str]:
        """Events are kept for thirty days, so that the scene does not lose its own."""
        return [
            lab.binary("kube-apiserver"),
            f"--etcd-servers=http://{lab.address('etcd')}",
            "--bind-address=127.0.0.1",
            f"--secure-port={lab.ports['kube-apiserver']}",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged",
            "--event-ttl=720h",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--kubelet-preferred-address-types=InternalIP",
            "--shutdown-delay-duration=0s",
            *self._identity(lab),
            *self._aggregation(lab),
        ]

    def _identity(self, lab: Lab) -> list[str]:
        return [
            f"--tls-cert-file={lab.pki('kube-apiserver.crt')}",
            f"--tls-private-key-file={lab.pki('kube-apiserver.key')}",
            f"--client-ca-file={lab.pki('ca.crt')}",
            f"--token-auth-file={lab.pki('tokens.csv')}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={lab.pki('service-accounts.pub')}",
            f"--service-account-signing-key-file={lab.pki('service-accounts.key')}",
            f"--kubelet-client-certificate={lab.pki('apiserver-kubelet-client.crt')}",
            f"--kubelet-client-key={lab.pki('apiserver-kubelet-client.key')}",
        ]

    def _aggregation(self, lab: Lab) -> list[str]:
        return [
            f"--requestheader-client-ca-file={lab.pki('front-proxy-ca.crt')}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={lab.pki('front-proxy-client.crt')}",
            f"--proxy-client-key-file={lab.pki('front-proxy-client.key')}",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """Its readiness page says so."""
        return answers(f"{lab.api_url}/readyz")

    def settle(self, lab: Lab) -> None:
        """Give the lab's users their rights."""
        for manifest in read_manifests(RBAC):
            lab.api.apply(manifest)

    def facts(self, lab: Lab) -> dict[str, str]:
        """Address, kubeconfigs of three users, and the matching clients."""
        return {
            "KUBE_API": lab.api_url,
            "KUBE_CA": lab.pki("ca.crt"),
            "KUBECONFIG_ADMIN": lab.kubeconfig("admin"),
            "KUBECONFIG_VIEWER": lab.kubeconfig("viewer"),
            "KUBECONFIG_NOBODY": lab.kubeconfig("nobody"),
            "KUBECTL": lab.binary("kubectl"),
            "HELM": lab.binary("helm"),
            "HELM3": lab.binary("helm3"),
        }
