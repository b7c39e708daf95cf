"""Looks at everything the server puts out in any test of the run: the lab's canary must never be in it.

Answers are looked at where they are rendered, the audit where its lines are written, metrics and logs where their text
is made; the test during which the canary comes through fails, and says where.
"""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING, Any, Final

import pytest

from cloud_native_mcp.audit.database_sink import Database
from cloud_native_mcp.audit.file_sink import LineFile
from cloud_native_mcp.response.render import Renderer
from cloud_native_mcp.telemetry.logs import JsonFormatter, TextFormatter
from cloud_native_mcp.telemetry.metrics import Metrics
from lab.canary import CANARY

if TYPE_CHECKING:
    from collections.abc import Generator

SEEN: Final[list[str]] = []
"""Where the canary came through since the last test."""


def forms_of(secret: str) -> tuple[str, ...]:
    """A secret as it is, and how base64 shows it wherever it begins in a longer text."""
    raw = secret.encode()
    shifted = (base64.b64encode(b"\0" * lead + raw).decode()[4 if lead else 0 :] for lead in (0, 1, 2))
    return (secret, *sorted({text.rstrip("=")[:-1] for text in shifted}))


_FORMS: Final = forms_of(CANARY)


def look(where: str, output: object) -> None:
    """Note it when the canary is in the output."""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)
    if any(form in text for form in _FORMS):
        SEEN.append(where)


def _look_at(owner: type, method: str, *, argument: bool = False) -> None:
    """Look at what a method returns from now on, or at what it is given."""
    original: Any = getattr(owner, method)

    @functools.wraps(original)
    def looked_at(self: object, *given: object, **named: object) -> object:
        output: object = original(self, *given, **named)
        look(f"{owner.__name__}.{method}", given[0] if argument else output)
        return output

    setattr(owner, method, looked_at)


_look_at(Renderer, "render")
_look_at(Renderer, "render_error")
_look_at(LineFile, "append", argument=True)
_look_at(Database, "append", argument=True)
_look_at(Metrics, "render")
_look_at(TextFormatter, "format")
_look_at(JsonFormatter, "format")


@pytest.fixture(autouse=True)
def no_canary() -> Generator[None]:
    """Fails a test during which the canary came through."""
    SEEN.clear()
    yield
    assert SEEN == []
