"""The helm program, asked the same questions as the tools, and used to make releases."""

from __future__ import annotations

import asyncio
import json
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv


def engine(lab: LabEnv, program: Path | None = None) -> dict[str, object]:
    """The setting that makes the lab's helm, or another one, the program of the service."""
    return {"engine": {"binary": str(program or lab.helm)}}


async def helm(lab: LabEnv, *arguments: str | Path, given: str = "", refusals: bool = False, driver: str = "") -> str:
    """What helm prints; with ``refusals`` it may end with an error, whose words count too."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "KUBECONFIG": str(lab.kubeconfig_admin), "HELM_DRIVER": driver}
        process = await asyncio.create_subprocess_exec(
            lab.helm,
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(given.encode())
    if not refusals:
        assert process.returncode == 0, errors.decode()
        return output.decode()
    return output.decode() + errors.decode()


async def helm_json(lab: LabEnv, *arguments: str | Path) -> Any:
    """What helm prints as JSON."""
    return json.loads(await helm(lab, *arguments, "-o", "json"))
