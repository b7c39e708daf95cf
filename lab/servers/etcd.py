"""etcd: the store of the API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.probes import answers
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab


class Etcd(Server):
    """One member; it does not wait for the disk, since a lost lab is seeded anew."""

    name = "etcd"
    ports = ("etcd", "etcd-peer")
    patience = 30.0

    def command(self, lab: Lab) -> list[str]:
        """See https://etcd.io/docs/v3.6/op-guide/configuration/."""
        client, peer = f"http://{lab.address('etcd')}", f"http://{lab.address('etcd-peer')}"
        return [
            lab.binary("etcd"),
            "--name=lab",
            f"--data-dir={lab.data('etcd')}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=lab={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
            "--quota-backend-bytes=4294967296",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=5m",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """Its health page says so."""
        return answers(f"http://{lab.address('etcd')}/health")

    def facts(self, lab: Lab) -> dict[str, str]:
        """Its address."""
        return {"ETCD_URL": f"http://{lab.address('etcd')}"}
