"""kubectl, asked the same questions as the tools."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab import LabEnv

_HEADING = re.compile(r"\S+(?: \S+)*(?:\s{3,}|\Z)")


async def kubectl(lab: LabEnv, *arguments: str, refusals: bool = False, config: Path | None = None) -> str:
    """What kubectl prints, to the administrator or to the user of a kubeconfig.

    With ``refusals`` it may end with an error, whose words count too.
    """
    process = await asyncio.create_subprocess_exec(
        lab.kubectl,
        "--kubeconfig",
        config or lab.kubeconfig_admin,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if not refusals:
        assert process.returncode == 0, errors.decode()
        return output.decode()
    return output.decode() + errors.decode()


async def kubectl_json(lab: LabEnv, *arguments: str) -> Any:
    """What kubectl prints as JSON."""
    return json.loads(await kubectl(lab, *arguments, "-o", "json"))


def table_of(printed: str) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a table that kubectl printed."""
    lines = printed.splitlines()
    starts = [match.start() for match in _HEADING.finditer(lines[0])]
    columns, *rows = (_cut(line, starts) for line in lines)
    return columns, rows


def _cut(line: str, starts: Sequence[int]) -> list[str]:
    ends = [*starts[1:], None]
    return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
