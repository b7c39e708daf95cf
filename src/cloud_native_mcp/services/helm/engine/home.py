"""The folder a run of Helm has to itself: its settings, caches and kubeconfig, gone when the run is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cloud_native_mcp.backends.kubernetes.kubeconfig_export import kubeconfig_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from cloud_native_mcp.backends.kubernetes.access import ClusterAccess


@dataclass(frozen=True, slots=True)
class Home:
    """The folder (mode 0700), and the whole environment of a program that lives in it."""

    folder: Path
    environment: Mapping[str, str]

    async def file(self, name: str, content: bytes) -> Path:
        """A file of mode 0600 in the folder."""
        path = self.folder / name
        await asyncio.to_thread(_write, path, content)
        return path


@contextlib.asynccontextmanager
async def home(access: ClusterAccess | None, *, namespace: str, driver: str = "secret") -> AsyncGenerator[Home]:
    """A fresh home; with access to a cluster, a kubeconfig of the server's identity lies in it.

    Args:
        driver: where Helm keeps releases.

    Raises:
        BackendError: ``unauthorized`` when there is no token to be had.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="cnmcp-helm-"))
    try:
        made = Home(folder, _environment(folder) | {"HELM_DRIVER": driver})
        config: object = {"apiVersion": "v1", "kind": "Config"}
        if access is not None:
            config = await kubeconfig_for(access, namespace=namespace)
        await made.file("kubeconfig", msgspec.json.encode(config))
        yield made
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the server's own environment: it may hold secrets, proxies, or settings of somebody's Helm."""
    return {
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "HELM_CACHE_HOME": str(folder / "cache"),
        "HELM_CONFIG_HOME": str(folder / "config"),
        "HELM_DATA_HOME": str(folder / "data"),
        "PATH": "",
        "TMPDIR": str(folder),
    }


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
