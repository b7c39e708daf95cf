"""The files of this project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CODE: Final = ("src", "tests", "lab", "tools", "bench")

_LEFT_OUT = frozenset({".git", ".venv", "build", "dist", "node_modules", "__pycache__"})


def files(*folders: str, suffix: str = "") -> list[Path]:
    """All files below the folders (default: the whole checkout) whose name ends with ``suffix``, sorted."""
    found = (
        path
        for folder in (folders or (".",))
        for path in (ROOT / folder).rglob(f"*{suffix}")
        if path.is_file() and not _generated(path.relative_to(ROOT))
    )
    return sorted(found)


def _generated(path: Path) -> bool:
    return any(part in _LEFT_OUT or part.endswith(("_cache", ".egg-info", ".hypothesis")) for part in path.parts)


def shown(path: Path) -> str:
    """The path as it is written in a message."""
    return path.relative_to(ROOT).as_posix()
