"""The 109 tools of the design, as fixtures: real names, schemas and descriptions; one fixed answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, TypedDict


class ToolJson(TypedDict):
    """One tool as ``tools/list`` shows it."""

    name: str
    description: str
    inputSchema: dict[str, object]
    annotations: dict[str, bool]


DATA: Final = Path(__file__).parent.parent / "data" / "tools.json"
ANSWER: Final = "NAME  READY  STATUS  RESTARTS  AGE\n" + "".join(
    f"web-7d9f8b6c5-{i:05d}  1/1  Running  0  3d4h\n" for i in range(30)
)
"""What every fixture tool answers: 1.3 kB, the size of a short table."""


def load() -> dict[str, list[ToolJson]]:
    """Tools by service, in list order."""
    tools: dict[str, list[ToolJson]] = json.loads(DATA.read_text(encoding="utf-8"))
    return tools
