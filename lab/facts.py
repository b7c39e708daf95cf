"""The addresses of a running lab, for shells (the env file) and for tests (LabEnv)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.state import State, default_root

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class LabEnv:
    """The facts of one lab that is up. A fact of a server it does not run raises LabError."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        try:
            return self.values[name]
        except KeyError:
            raise LabError(f"this lab has no {name}: the server behind it was left out of `python -m lab up`") from None

    @property
    def state(self) -> Path:
        """The state folder."""
        return Path(self["LAB_STATE"])

    @property
    def kube_api(self) -> str:
        """The URL of the API server."""
        return self["KUBE_API"]

    @property
    def kube_ca(self) -> Path:
        """The authority that signed the API server's certificate (PEM)."""
        return Path(self["KUBE_CA"])

    @property
    def kubeconfig_admin(self) -> Path:
        """A cluster administrator, by client certificate."""
        return Path(self["KUBECONFIG_ADMIN"])

    @property
    def kubeconfig_viewer(self) -> Path:
        """A user with the role `view` (no Secrets), by token."""
        return Path(self["KUBECONFIG_VIEWER"])

    @property
    def kubeconfig_nobody(self) -> Path:
        """A user without rights, by token."""
        return Path(self["KUBECONFIG_NOBODY"])

    @property
    def kubectl(self) -> Path:
        """Kubectl of the API server's version."""
        return Path(self["KUBECTL"])

    @property
    def helm(self) -> Path:
        """Helm 4."""
        return Path(self["HELM"])

    @property
    def helm3(self) -> Path:
        """The last Helm 3."""
        return Path(self["HELM3"])

    @property
    def promtool(self) -> Path:
        """The tool of the Prometheus that runs here."""
        return Path(self["PROMTOOL"])

    @property
    def prometheus_url(self) -> str:
        """The URL of Prometheus."""
        return self["PROMETHEUS_URL"]

    @property
    def chart_repository(self) -> str:
        """The URL of the chart repository."""
        return self["CHART_REPOSITORY"]

    @property
    def registry(self) -> str:
        """host:port of the OCI registry, without TLS; its charts are below `charts`."""
        return self["REGISTRY"]

    @property
    def etcd_url(self) -> str:
        """The URL of the API server's store."""
        return self["ETCD_URL"]

    @property
    def nodes(self) -> int:
        """How many nodes the lab has of its own."""
        return int(self["LAB_NODES"])


def environment(state: Path | None = None) -> LabEnv:
    """The lab in this state folder (the default one when none is given); LabError when it is not up."""
    file = State(state or default_root()).env
    if not file.is_file():
        raise LabError(f"no lab is up in {file.parent}: run `python -m lab up`")
    return LabEnv(parse(file.read_text(encoding="utf-8")))


def render(values: Mapping[str, str]) -> str:
    """The text of an env file: KEY=VALUE lines that a POSIX shell can source."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))


def parse(text: str) -> dict[str, str]:
    """The values of an env file."""
    pairs = (shlex.split(line, comments=True) for line in text.splitlines())
    return dict(pair[0].split("=", 1) for pair in pairs if pair)
