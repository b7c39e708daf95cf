"""The store of built artefacts, outside the clone, addressed by what they are built from."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lab.errors import LabError
from lab.locks import exclusive

if TYPE_CHECKING:
    from lab.progress import Progress

BUILD_SECONDS = 3600.0


class Artefact(Protocol):
    """Something built once and kept: a binary, or a folder of files."""

    @property
    def name(self) -> str:
        """The name it is asked for by."""
        ...

    @property
    def version(self) -> str:
        """The version of the product."""
        ...

    def digest(self) -> str:
        """A digest of all that the result depends on, in hexadecimal."""
        ...

    def build(self, into: Path, *, log: Path, progress: Progress, position: str) -> None:
        """Make the artefact in the empty folder `into`; raise LabError naming `log` on failure."""
        ...


def root() -> Path:
    """Where artefacts and lab states live unless told otherwise."""
    chosen = os.environ.get("CNMCP_LAB_CACHE")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "cloud-native-mcp-lab"


class Store:
    """Artefacts under one root; a folder there is complete, since it is renamed into place."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def folder(self, artefact: Artefact) -> Path:
        """The folder that holds the artefact, whether it is built or not."""
        return self._base / "artefacts" / artefact.name / f"{artefact.version}-{artefact.digest()[:16]}"

    def has(self, artefact: Artefact) -> bool:
        """Whether the artefact is built."""
        return self.folder(artefact).is_dir()

    def get(self, artefact: Artefact) -> Path:
        """The folder of a built artefact."""
        folder = self.folder(artefact)
        if not folder.is_dir():
            raise LabError(f"{artefact.name} {artefact.version} is not built: run `python -m lab build`")
        return folder

    def build(self, artefact: Artefact, *, progress: Progress, position: str) -> Path:
        """Build the artefact unless it is there; two builders of one artefact wait for each other."""
        folder = self.folder(artefact)
        with exclusive(self._base / "locks" / f"{artefact.name}.lock", within=BUILD_SECONDS):
            if not folder.is_dir():
                self._fill(artefact, folder, progress, position)
        return folder

    def _fill(self, artefact: Artefact, folder: Path, progress: Progress, position: str) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        log = self._base / "logs" / f"build-{artefact.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            artefact.build(unfinished, log=log, progress=progress, position=position)
            unfinished.chmod(0o755)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
