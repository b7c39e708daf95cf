"""Writes the golden tool lists again: ``python -m tools.golden``, after an intended change of tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from tools.lists import tool_lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOLDEN: Final = Path(__file__).resolve().parent.parent / "tests" / "golden" / "tools"


def rendered(tools: Sequence[Mapping[str, object]]) -> str:
    """A list as its golden file holds it: one property a line, in the list's own order."""
    return orjson.dumps(tools, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def main() -> None:
    """Write every mode's list, and remove the files of modes that are no more."""
    lists = tool_lists()
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for file in GOLDEN.glob("*.json"):
        if file.stem not in lists:
            file.unlink()
    for mode, tools in lists.items():
        (GOLDEN / f"{mode}.json").write_text(rendered(tools), encoding="utf-8")
        print(f"{mode}: {len(tools)} tools")


if __name__ == "__main__":
    main()
