"""Prometheus: scrapes the servers of the lab and evaluates rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lab.canary import CANARY
from lab.probes import answers
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab

CONF = Path(__file__).parent.parent / "conf"
SCRAPED = ("prometheus", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kwok")


class Prometheus(Server):
    """Its whole HTTP API, with lifecycle and admin calls; the page at `/` is not built in."""

    name = "prometheus"
    needs = ("kwok",)
    artefacts = ("promtool",)
    ports = ("prometheus",)

    def configure(self, lab: Lab) -> tuple[Path, ...]:
        """Fill in the addresses of this lab."""
        folder = lab.state.config / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(self._write(lab, folder, name) for name in ("prometheus.yml", "rules.yml"))

    def _write(self, lab: Lab, folder: Path, name: str) -> Path:
        text = (CONF / name).read_text(encoding="utf-8")
        for server in SCRAPED:
            text = text.replace(f"@{server}@", lab.address(server))
        target = folder / name
        text = text.replace("@PKI@", str(lab.state.pki)).replace("@FOLDER@", str(folder)).replace("@CANARY@", CANARY)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
        return target

    def command(self, lab: Lab) -> list[str]:
        """See https://prometheus.io/docs/prometheus/latest/command-line/prometheus/."""
        return [
            lab.binary(self.name),
            f"--config.file={lab.state.config / self.name / 'prometheus.yml'}",
            f"--storage.tsdb.path={lab.data(self.name)}",
            f"--web.listen-address={lab.address(self.name)}",
            "--web.enable-lifecycle",
            "--web.enable-admin-api",
            "--storage.tsdb.retention.time=2d",
        ]

    def is_ready(self, lab: Lab) -> bool:
        """Its readiness page says so."""
        return answers(f"http://{lab.address(self.name)}/-/ready")

    def facts(self, lab: Lab) -> dict[str, str]:
        """Its address and its tool."""
        return {"PROMETHEUS_URL": f"http://{lab.address(self.name)}", "PROMTOOL": lab.binary("promtool")}
