"""The folder of one lab: everything that is not a built artefact."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lab import cache


def default_root() -> Path:
    """The state folder used unless one is named: `$CNMCP_LAB_STATE`, else one in the cache."""
    chosen = os.environ.get("CNMCP_LAB_STATE")
    return Path(chosen).expanduser() if chosen else cache.root() / "state" / "default"


@dataclass(frozen=True)
class State:
    """Names of the files and folders in a lab's state folder."""

    root: Path

    @property
    def env(self) -> Path:
        """The shell-sourceable file with the addresses of this lab; there while the lab is up."""
        return self.root / "env"

    @property
    def lock(self) -> Path:
        """Held by the one command that may change this lab."""
        return self.root / "lock"

    @property
    def ports(self) -> Path:
        """The ports this lab took, by name."""
        return self.root / "ports.json"

    @property
    def pki(self) -> Path:
        """Certificates, keys and tokens."""
        return self.root / "pki"

    @property
    def kubeconfigs(self) -> Path:
        """One kubeconfig per user."""
        return self.root / "kubeconfig"

    @property
    def processes(self) -> Path:
        """One record per running server."""
        return self.root / "processes"

    @property
    def logs(self) -> Path:
        """One log per server."""
        return self.root / "logs"

    @property
    def config(self) -> Path:
        """Written configuration of servers."""
        return self.root / "config"

    @property
    def data(self) -> Path:
        """What servers store."""
        return self.root / "data"

    @property
    def pod_logs(self) -> Path:
        """The log files that the fake kubelet serves."""
        return self.root / "pod-logs"

    @property
    def seed(self) -> Path:
        """What the scene was when it was seeded."""
        return self.root / "seed.json"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of a user."""
        return self.kubeconfigs / f"{user}.yaml"
