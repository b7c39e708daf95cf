"""Which objects the call that runs now may reach, as the last hop to a backend asks it.

The call chain says it once for the whole call, before the tool runs; everything the tool does, in whatever task, is
held to it. Without a word all objects may be reached, as far as the operator's fence and the backend's own rights go.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

READING: Final = ("get", "list", "watch")
"""Verbs that only look."""


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """Requests by namespace, kind and verb; an empty list takes all, ``*`` in an entry stands for any text."""

    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectRights:
    """Requests that a call may send to one target: some rule of ``allow`` takes them, and none of ``deny``.

    Attributes:
        whose: how a refusal names these rules.
    """

    allow: tuple[ObjectRule, ...]
    deny: tuple[ObjectRule, ...]
    whose: str


class CallRights(Protocol):
    """What one call may reach."""

    @property
    def digest(self) -> str:
        """Equal for calls with equal rights: part of the key of whatever is kept of what they read."""
        ...

    def of(self, target: str) -> ObjectRights | None:
        """The rules for a target of the called service, or None when all of it may be reached."""
        ...


_current: ContextVar[CallRights | None] = ContextVar("call_rights", default=None)


def current_rights() -> CallRights | None:
    """The rights of the call that runs now; None without limits, and outside calls."""
    return _current.get()


@contextlib.contextmanager
def limited_to(rights: CallRights | None) -> Generator[None]:
    """Hold everything inside to these rights."""
    token = _current.set(rights)
    try:
        yield
    finally:
        _current.reset(token)
