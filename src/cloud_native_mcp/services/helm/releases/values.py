"""Values of a release: merged as Helm merges them, masked by their names, and looked up by a dotted path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.response.objects import is_secret_name, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Digest = Callable[[bytes], str]

_DEPTH: Final = 100
_SECRET: Final = re.compile(r"(?:password|token|key|secret|credential|dsn)s?\Z", re.IGNORECASE)
_NO_SECRET: Final = re.compile(
    r"(?:\Aexisting|\Apublic|monkey|turkey|hotkey|\Atopology|\A(?:sort|order)_?key)", re.IGNORECASE
)
_NAMES_AN_OBJECT: Final = re.compile(r"\Aexisting|(?:name|ref)\Z", re.IGNORECASE)
_TERM: Final = frozenset({"operator", "effect", "topologyKey", "tolerationSeconds"})
"""Fields beside which ``key`` is the key of a label or taint."""


def merged(defaults: Mapping[str, object] | None, given: Mapping[str, object] | None) -> dict[str, object]:
    """The chart's values with the user's over them: maps grow together, the rest is replaced, null takes away.

    As ``helm get values --all`` has them (https://helm.sh/docs/chart_template_guide/values_files/).
    """
    result = dict(defaults or {})
    for name, value in (given or {}).items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(as_dict(result[name]), cast("dict[str, object]", value))
        else:
            result[name] = value
    return result


def without_secrets(value: object, digest: Digest, *, name: str = "", depth: int = 0) -> object:
    """A copy whose secret values are replaced by their length and digest, judged by the names above them."""
    if depth > _DEPTH:
        return f"(nested deeper than {_DEPTH} levels)"
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        term = bool(_TERM & fields.keys())
        return {
            key: without_secrets(item, digest, name="" if term and key == "key" else _below(name, key), depth=depth + 1)
            for key, item in fields.items()
        }
    if isinstance(value, list):
        return [without_secrets(one, digest, name=name, depth=depth + 1) for one in cast("list[object]", value)]
    if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "" and hides(name):
        return masked(str(value), digest)
    return value


def hides(name: str) -> bool:
    """Whether a value of that name is taken for a secret."""
    if _NAMES_AN_OBJECT.search(name) or _NO_SECRET.search(name):
        return False
    return _SECRET.search(name) is not None or is_secret_name(name)


def at_path(values: Mapping[str, object], path: str) -> tuple[str, object]:
    """The value under a dotted path, with the last name of the path.

    Raises:
        InvalidArgument: nothing is there; the names that are there are told.
    """
    place: object = values
    walked: list[str] = []
    for part in path.strip().strip(".").split("."):
        fields = as_dict(place)
        if isinstance(place, list) and part.isdecimal() and int(part) < len(cast("list[object]", place)):
            place = cast("list[object]", place)[int(part)]
        elif part in fields:
            place = fields[part]
        else:
            there = ", ".join(list(fields)[:20]) or "nothing"
            where = f"under {'.'.join(walked)}" if walked else "at the top"
            raise InvalidArgument("select", f"there is no {part} {where}; there is {there}")
        walked.append(part)
    names = [part for part in walked if not part.isdecimal()]
    return (names[-1] if names else ""), place


def _below(name: str, key: str) -> str:
    """What names a value: its own key, unless a name above says that all below are secret."""
    return name if name and hides(name) and not hides(key) and not _NAMES_AN_OBJECT.search(key) else key
