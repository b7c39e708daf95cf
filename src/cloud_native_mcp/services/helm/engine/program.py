"""Which Helm program there is, and its version."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.engine.child import run
from cloud_native_mcp.services.helm.engine.home import home

OLDEST: Final = (3, 14)
"""The first version with ``--reset-then-reuse-values``."""
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_MOST_BYTES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Program:
    """A usable Helm."""

    path: Path
    version: tuple[int, int, int]

    @property
    def major(self) -> int:
        """3 or 4: they differ in the names of some options."""
        return self.version[0]

    def __str__(self) -> str:
        return f"Helm {'.'.join(map(str, self.version))}"


async def find_program(configured: Path | None) -> Program:
    """The configured program, else ``helm`` on the server's path.

    Raises:
        ToolError: ``engine_missing``, saying what would help.
    """
    path = configured or _on_path()
    if path is None:
        text = "no helm program on this server; the operator can install one or name it in helm.engine.binary"
        raise ToolError("engine_missing", text, kind="final")
    async with home(None, namespace="") as place:
        ended = await run(
            path,
            ["version", "--template", "{{.Version}}"],
            environment=place.environment,
            folder=place.folder,
            most_bytes=_MOST_BYTES,
        )
    found = _VERSION.match(ended.output.decode("utf-8", "replace").strip())
    if ended.status != 0 or found is None:
        raise ToolError("engine_missing", f"{path.name} does not tell its version; is it Helm?", kind="final")
    version = (int(found[1]), int(found[2]), int(found[3]))
    if version[:2] < OLDEST:
        needed = ".".join(map(str, OLDEST))
        text = f"Helm {found[0]} is too old: {needed} or newer is needed"
        raise ToolError("engine_missing", text, kind="final")
    return Program(path, version)


def _on_path() -> Path | None:
    found = shutil.which("helm")
    return Path(found).absolute() if found else None
