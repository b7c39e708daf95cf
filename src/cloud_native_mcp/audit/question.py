"""What is asked of the audit: which records, how many, where to go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.times import parse_instant
from cloud_native_mcp.errors import ConfigError, InvalidArgument, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Final = ("principal", "service", "tool", "effect", "outcome", "code", "stage", "request")
"""What records can be chosen by; several values of one are alternatives, and ``*`` stands for any text."""
OUTCOMES: Final = ("ok", "failed", "refused", "cancelled", "unknown")
"""How a call can have ended; ``unknown``: it began and its end is not on record, as when the server was killed."""
DEFAULT_LIMIT: Final = 100
MOST: Final = 1_000
_OWN: Final = ("from", "to", "limit", "cursor")


@dataclass(frozen=True, slots=True)
class Question:
    """Which calls are meant, newest first.

    Attributes:
        since: until: seconds since 1970; None for no bound.
        chosen: by name of `FIELDS`, the values one of which has to fit.
        before: the number of the record to go on after.
    """

    since: float | None = None
    until: float | None = None
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    limit: int = DEFAULT_LIMIT
    before: int | None = None


def question_of(given: Mapping[str, str], *, now: datetime | None = None) -> Question:
    """The question in a caller's words: ``from``, ``to``, ``limit``, ``cursor``, and names of `FIELDS` with values.

    Raises:
        ConfigError: every wrong part of it, by its name.
    """
    problems: list[Problem] = []
    for name in given:
        if name not in (*_OWN, *FIELDS):
            near = nearest(name, (*_OWN, *FIELDS))
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join((*_OWN, *FIELDS))}"
            problems.append(Problem(name, f"is not known; {hint}"))
    chosen = {name: _values(given[name]) for name in FIELDS if given.get(name)}
    problems += [
        Problem("outcome", f"{one!r} is none; there are {', '.join(OUTCOMES)}")
        for one in chosen.get("outcome", ())
        if one not in OUTCOMES
    ]
    moment = now or datetime.now(UTC)
    found = Question(
        since=_instant(given, "from", moment, problems),
        until=_instant(given, "to", moment, problems),
        chosen=chosen,
        limit=_number(given, "limit", DEFAULT_LIMIT, problems, most=MOST) or DEFAULT_LIMIT,
        before=_number(given, "cursor", None, problems, most=2**62),
    )
    if found.since is not None and found.until is not None and found.since >= found.until:
        problems.append(Problem("from", "must lie before to"))
    if problems:
        raise ConfigError(problems)
    return found


def _values(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _instant(given: Mapping[str, str], name: str, now: datetime, problems: list[Problem]) -> float | None:
    if not given.get(name):
        return None
    try:
        return parse_instant(given[name], field=name, now=now).timestamp()
    except InvalidArgument as error:
        problems.append(Problem(name, error.text.removeprefix(f"{name}: ")))
        return None


def _number(
    given: Mapping[str, str], name: str, default: int | None, problems: list[Problem], *, most: int
) -> int | None:
    text = given.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= most:
        problems.append(Problem(name, f"must be a whole number from 1 to {most}"))
        return default
    return int(text)
