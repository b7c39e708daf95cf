"""What a server of the lab may know: its folders, ports, binaries and the API server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lab.kube import KubeApi
from lab.ports import HOST
from lab.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.cache import Store
    from lab.progress import Progress
    from lab.state import State

API_PORT = "kube-apiserver"


@dataclass(frozen=True)
class Lab:
    """One lab while a command works on it."""

    state: State
    store: Store
    ports: Mapping[str, int]
    nodes: int
    progress: Progress

    def binary(self, name: str) -> str:
        """The path of a built binary."""
        return str(self.artefact(name) / name)

    def artefact(self, name: str) -> Path:
        """The folder of a built artefact."""
        return self.store.get(RECIPES[name])

    def address(self, port: str) -> str:
        """host:port of a named port."""
        return f"{HOST}:{self.ports[port]}"

    @property
    def api_url(self) -> str:
        """The address of the API server."""
        return f"https://{self.address(API_PORT)}"

    @cached_property
    def api(self) -> KubeApi:
        """The API server, asked as administrator."""
        pki = self.state.pki
        return KubeApi(self.api_url, authority=pki / "ca.crt", certificate=pki / "admin.crt", key=pki / "admin.key")

    def pki(self, name: str) -> str:
        """The path of a certificate, key or token file."""
        return str(self.state.pki / name)

    def data(self, name: str) -> str:
        """The path of a server's own folder."""
        return str(self.state.data / name)

    def kubeconfig(self, user: str) -> str:
        """The path of a user's kubeconfig."""
        return str(self.state.kubeconfig(user))

    def close(self) -> None:
        """Close what was opened along the way."""
        if "api" in self.__dict__:
            self.api.close()
