"""Versions of charts, and ranges of them as Helm reads them.

Versions: https://semver.org; ranges: https://helm.sh/docs/topics/charts/#the-version-field (operators, hyphens,
wildcards, ``^``, ``~``, commas or spaces for and, ``||`` for or).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from semver import Version

from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST: Final = 200
_TERM: Final = re.compile(
    r"(?P<operator>!=|[<>]=?|=[<>]?|~>?|\^|)\s*v?"
    r"(?P<major>\d{1,9}|[xX*])(?:\.(?P<minor>\d{1,9}|[xX*]))?(?:\.(?P<patch>\d{1,9}|[xX*]))?"
    r"(?:-(?P<prerelease>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_HYPHEN: Final = re.compile(r"(\S+)\s+-\s+(\S+)")
_AND: Final = re.compile(r"\s*,\s*|(?<![<>=~^!\s])\s+(?=[<>=~^!v\dxX*])")
_SAME: Final = {"=>": ">=", "=<": "<=", "~>": "~", "": "="}

Bound = Literal[">=", ">", "<=", "<", "out"]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """``out`` is outside of the versions from ``version`` to below ``upper``, or any other than ``version``."""

    bound: Bound
    version: Version
    upper: Version | None = None

    def holds(self, found: Version) -> bool:
        match self.bound:
            case ">=":
                return found >= self.version
            case ">":
                return found > self.version
            case "<=":
                return found <= self.version
            case "<":
                return found < self.version
            case "out":
                return found < self.version or (found > self.version if self.upper is None else found >= self.upper)


@dataclass(frozen=True, slots=True)
class Range:
    """Alternatives, each a list of comparisons that all hold; ``prereleases`` says whether one names a pre-release."""

    alternatives: tuple[tuple[_Comparison, ...], ...]
    prereleases: bool

    def takes(self, found: Version, *, devel: bool) -> bool:
        """Whether the version is one of the range; pre-releases only where they are asked for."""
        if found.prerelease and not (devel or self.prereleases):
            return False
        return any(all(one.holds(found) for one in comparisons) for comparisons in self.alternatives)


ANY: Final = Range(((),), prereleases=False)
"""Every stable version."""


def parse_version(text: str) -> Version | None:
    """The version a text means, leniently as Helm: a ``v`` in front, minor and patch may be missing."""
    try:
        return Version.parse(text.strip().removeprefix("v"), optional_minor_and_patch=True)
    except ValueError:
        return None


def parse_range(text: str, *, field: str = "version") -> Range:
    """The range a text means; an empty one is `ANY`.

    Raises:
        InvalidArgument: it is none.
    """
    text = text.strip()
    if not text:
        return ANY
    if len(text) > _LONGEST:
        raise InvalidArgument(field, f"has {len(text)} characters; at most {_LONGEST}")
    terms = [[_term(term, field) for term in _terms(part)] for part in text.split("||")]
    alternatives = tuple(tuple(bound for term in part for bound in _bounds(term)) for part in terms)
    return Range(alternatives, prereleases=any(term["prerelease"] for part in terms for term in part))


def newest_first(texts: Iterable[str]) -> list[str]:
    """Versions by precedence, the highest first; what is no version comes last."""
    return sorted(texts, key=_rank, reverse=True)


def _rank(text: str) -> tuple[bool, Version]:
    version = parse_version(text)
    return version is not None, version or Version(0)


def _terms(part: str) -> list[str]:
    return _AND.split(_HYPHEN.sub(r">=\1 <=\2", part.strip()))


def _term(text: str, field: str) -> re.Match[str]:
    match = _TERM.fullmatch(text.strip())
    if match is None:
        shown = f"{text.strip()[:60]!a} is no version or range, such as 1.2.3, ^1.2, '>=1.0 <2.0' or 1.x"
        raise InvalidArgument(field, shown)
    return match


def _bounds(match: re.Match[str]) -> Iterator[_Comparison]:
    parts = [match[name] for name in ("major", "minor", "patch")]
    known = [int(part) for part in parts[: next((at for at, one in enumerate(parts) if not _number(one)), 3)]]
    operator = _SAME.get(match["operator"], match["operator"])
    if not known:
        if operator in {"!=", "<", ">"}:
            yield _Comparison("<", Version(0, 0, 0, prerelease="0"))
        return
    parts = [*known, 0, 0]
    lower = Version(parts[0], parts[1], parts[2], prerelease=match["prerelease"] if len(known) == 3 else None)
    upper = _after(known, len(known) - 1)
    match operator:
        case "=" if len(known) == 3:
            yield _Comparison(">=", lower)
            yield _Comparison("<=", lower)
        case "!=":
            yield _Comparison("out", lower, None if len(known) == 3 else upper)
        case ">":
            yield _Comparison(">", lower) if len(known) == 3 else _Comparison(">=", upper.replace(prerelease=None))
        case "<=":
            yield _Comparison("<=", lower) if len(known) == 3 else _Comparison("<", upper)
        case ">=" | "<":
            yield _Comparison(operator, lower)
        case "^":
            yield _Comparison(">=", lower)
            yield _Comparison("<", _after(known, next((at for at, one in enumerate(known) if one), len(known) - 1)))
        case _:
            yield _Comparison(">=", lower)
            yield _Comparison("<", _after(known, min(1, len(known) - 1)))


def _number(part: str | None) -> bool:
    return part is not None and part.isdecimal()


def _after(known: list[int], place: int) -> Version:
    """The first version (with its pre-releases) after all that agree up to that place."""
    parts = [*known[:place], known[place] + 1, 0, 0]
    return Version(parts[0], parts[1], parts[2], prerelease="0")
