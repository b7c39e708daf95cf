"""kwok: the kubelets of nodes that do not exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lab import nodes
from lab.kube import Manifest, in_parallel, parse_manifests, read_manifests
from lab.probes import answers, wait_until
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab

FATES = Path(__file__).parent.parent / "conf" / "fates.yaml"
COMMANDS = FATES.with_name("commands.yaml")
DOORS = FATES.with_name("kwok-doors.yaml")
FATE = "lab/fate"
CRDS = (
    *("Stage", "Metric", "ResourceUsage", "ClusterResourceUsage", "Logs", "ClusterLogs", "Exec", "ClusterExec"),
    *("PortForward", "ClusterPortForward", "Attach", "ClusterAttach"),
)


class Kwok(Server):
    """Real API behaviour of kubelets (status, logs, exec, metrics) without containers."""

    name = "kwok"
    needs = ("kube-apiserver",)
    artefacts = ("kwok-manifests",)
    ports = ("kwok",)

    def configure(self, lab: Lab) -> tuple[Path, ...]:
        """It reads its configuration from the API server; a change in ours must reach it there."""
        del lab
        return (FATES, COMMANDS, DOORS)

    def prepare(self, lab: Lab) -> None:
        """Register its kinds, its stock stages, and what logs, exec and port-forward answer."""
        manifests = lab.artefact("kwok-manifests")
        crds = _read_folder(manifests / "crds")
        in_parallel(lab.api.apply, crds)
        for crd in crds:
            _wait_established(lab, str(crd["metadata"]["name"]))
        stages = [spare_the_fated(stage) for stage in _read_folder(manifests / "stages")]
        lab.state.pod_logs.mkdir(parents=True, exist_ok=True)
        doors = DOORS.read_text(encoding="utf-8").replace("@PORT@", str(lab.ports["kwok"]))
        own = [*read_manifests(FATES), *read_manifests(COMMANDS), *parse_manifests(doors)]
        in_parallel(lab.api.apply, [*stages, *_read_folder(manifests / "metrics"), *own])

    def command(self, lab: Lab) -> list[str]:
        """See https://kwok.sigs.k8s.io/docs/generated/kwok/."""
        return [
            lab.binary("kwok"),
            f"--kubeconfig={lab.kubeconfig('kwok')}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--cidr=10.244.0.1/16",
            "--node-ip=127.0.0.1",
            "--node-name=localhost",
            f"--node-port={lab.ports['kwok']}",
            f"--server-address={lab.address('kwok')}",
            f"--tls-cert-file={lab.pki('kubelet.crt')}",
            f"--tls-private-key-file={lab.pki('kubelet.key')}",
            "--node-lease-duration-seconds=40",
            f"--enable-crds={','.join(CRDS)}",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """Its health page says so."""
        return answers(f"http://{lab.address('kwok')}/healthz")

    def settle(self, lab: Lab) -> None:
        """Create the lab's nodes and wait until they are ready."""
        nodes.ensure(lab.api, lab.nodes)

    def facts(self, lab: Lab) -> dict[str, str]:
        """The address of all kubelets."""
        return {"KWOK_URL": f"http://{lab.address('kwok')}", "LAB_NODES": str(lab.nodes)}


def spare_the_fated(stage: Manifest) -> Manifest:
    """Keep a stock pod stage away from living pods whose fate the scene decides itself."""
    spec = stage["spec"]
    expressions: list[Manifest] = spec["selector"]["matchExpressions"]
    deletes = bool(spec["next"].get("delete"))
    if spec["resourceRef"]["kind"] == "Pod" and not deletes:
        expressions.append({"key": f'.metadata.annotations["{FATE}"]', "operator": "DoesNotExist"})
    return stage


def _read_folder(folder: Path) -> list[Manifest]:
    return [manifest for file in sorted(folder.glob("*.yaml")) for manifest in read_manifests(file)]


def _wait_established(lab: Lab, name: str) -> None:
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"

    def established() -> bool:
        conditions: list[Manifest] = lab.api.get(path).get("status", {}).get("conditions") or []
        return any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions)

    wait_until(f"registration of {name}", established, within=30.0)
