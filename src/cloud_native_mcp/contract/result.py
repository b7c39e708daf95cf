"""What a tool answers: structured until the response stage renders it.

A `Result` is a header (one line of facts), blocks, and a footer. Only ``response/`` turns it into text, so that budget,
masks and envelopes are applied in one place, and the CLI or another tool can read rows instead of text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Cell = str | int | float | bool | None
CursorState = dict[str, object]
"""What a tool needs to go on where an answer ended: JSON types only. It is sealed before it leaves the server."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes (1 kB = 1,000) an answer may take: ``usual``, and ``cap`` when the caller asked for more rows or bytes."""

    usual: int = 16_000
    cap: int = 40_000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns. ``untrusted``: cells hold text that others wrote (event messages, annotations)."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    untrusted: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text. ``untrusted`` text is put in a marked envelope that names its ``source``.

    ``keep`` says which end survives a cut: ``head`` (documents) or ``tail`` (logs).
    """

    text: str
    title: str = ""
    untrusted: bool = False
    source: str = ""
    keep: Literal["head", "tail"] = "head"


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON-like value shown as YAML or JSON; masks are applied to it by the kind of object it holds."""

    value: object
    format: Literal["yaml", "json"] = "yaml"
    title: str = ""
    untrusted: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Revealed:
    """A secret value that the caller asked for in clear: the one block that no mask is applied to.

    It is shown exactly, in a marked envelope: as text when it is plain UTF-8, else as base64, which the title says.
    """

    name: str
    value: bytes
    source: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as MCP image content."""

    data: bytes
    mime_type: str = "image/png"


Block = Table | Text | Document | Revealed | Image


@dataclass(frozen=True, slots=True)
class Page:
    """How a list goes on.

    ``resume`` takes the number of rows shown (over all tables of the answer, in order) and gives the state of the
    cursor that continues there, or None when nothing follows. The response stage calls it after it has cut to the
    budget, so a cursor never skips a row that was cut. Without ``resume`` the rest is had only by another question.
    """

    resume: Callable[[int], CursorState | None] | None
    total: int | None = None
    at_least: bool = False
    narrow: str = ""
    """How to get a shorter answer, e.g. ``namespace or label_selector``."""

    @classmethod
    def at_offset(cls, offset: int, total: int, *, at_least: bool = False, narrow: str = "") -> Page:
        """The page of rows that are made anew for each answer: it goes on by their number.

        Args:
            offset: rows shown before; in the next cursor's state under ``offset``.
            total: rows there are.
        """

        def resume(shown: int) -> CursorState | None:
            following = offset + shown
            return {"offset": following} if following < total else None

        return cls(resume, total=total, at_least=at_least, narrow=narrow)


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a tool.

    ``header`` is one line: what, where, as of when. ``notes`` are footer lines (warnings, clamps, what was not done).
    ``partial`` names each source that failed while others answered. ``facts`` are for callers inside the server (the
    CLI's ``--json``, other tools); they are not shown to a model. ``confirm`` is the code that confirms the plan this
    answer shows; with ``needs_person`` it is for the client's question to its person, and not shown. Both are set by
    the call chain, never by a tool.
    """

    header: str = ""
    blocks: Sequence[Block] = ()
    page: Page | None = None
    notes: Sequence[str] = ()
    partial: Sequence[str] = ()
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    confirm: str = ""
    needs_person: bool = False
