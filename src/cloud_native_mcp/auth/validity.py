"""When a credential is good and for what: the types that settings and stored keys share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

MOMENT_FORMS: Final = "a date (2027-01-31) or RFC 3339 time with zone (2027-01-31T12:00:00Z)"
SCOPE_FORMS: Final = "read, write or destroy, or the same of one service (kubernetes:read)"

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SCOPE: Final = re.compile(r"(?:[a-z][a-z0-9_-]*:)?(?:read|write|destroy)", re.ASCII)


def parse_moment(text: str) -> datetime:
    """A date (its first moment, UTC) or an RFC 3339 time with its zone.

    Raises:
        ValueError: it is neither.
    """
    try:
        moment = datetime.fromisoformat(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError:
        raise ValueError(f"write {MOMENT_FORMS}") from None
    if moment.tzinfo is None:
        raise ValueError(f"has no time zone; write {MOMENT_FORMS}")
    return moment.astimezone(UTC)


def checked_scope(text: str) -> str:
    """The scope itself.

    Raises:
        ValueError: it is none.
    """
    if _SCOPE.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no scope; write {SCOPE_FORMS}")
    return text


def _moment(value: object) -> object:
    return parse_moment(value) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Scope = Annotated[str, AfterValidator(checked_scope)]


@dataclass(frozen=True, slots=True)
class Validity:
    """The time in which a key is good; None is without bound."""

    not_before: datetime | None = None
    expires: datetime | None = None
    revoked: datetime | None = None

    def refusal(self, now: datetime) -> str:
        """Why the key is refused now, for whoever holds it; empty when it is good."""
        if self.revoked is not None and now >= self.revoked:
            return "the API key was revoked"
        if self.expires is not None and now >= self.expires:
            return "the API key has expired"
        if self.not_before is not None and now < self.not_before:
            return "the API key is not valid yet"
        return ""

    def ended(self, now: datetime) -> bool:
        """Whether it will never be good again."""
        return any(end is not None and now >= end for end in (self.expires, self.revoked))
