"""Narrowing of decoded JSON, so that a missing or odd field of a backend's answer is read tolerantly."""

from __future__ import annotations

from typing import cast


def as_dict(value: object) -> dict[str, object]:
    """The value when it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value when it is a JSON array, else an empty one (API servers answer null for empty lists)."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_str(value: object, default: str = "") -> str:
    """The value when it is text, else the default."""
    return value if isinstance(value, str) else default


def as_int(value: object, default: int = 0) -> int:
    """The value when it is a whole number (not a boolean), else the default."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def dig(value: object, *path: str) -> object:
    """The value under a path of object keys, or None where the path ends early."""
    for key in path:
        value = as_dict(value).get(key)
    return value
