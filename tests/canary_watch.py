"""Looks at everything the server puts out in any test of the run: no secret may be in it.

Secrets are those in `SECRETS`, plain and in base64, and every text of the form of an API key this server makes. Looked
at:

- answers where they are rendered, and every header and body an HTTP server of the run sends;
- the audit where its lines are written, and the metrics page;
- every log record of the server as its formatter writes it, at all levels, also those that are switched off;
- standard output and standard error of every process of the server that a test waits for (but the one line of
  ``keys create`` and ``keys rotate``, which is the key);
- the audit, log and database files a test leaves in its folder.

The test during which a secret comes through fails, and says where.
"""

from __future__ import annotations

import base64
import functools
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from cloud_native_mcp.audit.database_sink import Database
from cloud_native_mcp.audit.file_sink import LineFile
from cloud_native_mcp.auth.key_format import PATTERN
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.response.render import Renderer
from cloud_native_mcp.telemetry.logs import JsonFormatter, TextFormatter
from cloud_native_mcp.telemetry.metrics import Metrics
from cloud_native_mcp.transport.http_app import HttpApp
from lab.canary import CANARY
from tests.cli.terminal import PIN
from tests.server_fixtures import KEY, OTHER_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from starlette.types import Message, Receive, Scope, Send

SEEN: Final[list[str]] = []
"""Where the canary came through since the last test."""


def forms_of(secret: str) -> tuple[str, ...]:
    """A secret as it is, and how base64 shows it wherever it begins in a longer text."""
    raw = secret.encode()
    shifted = (base64.b64encode(b"\0" * lead + raw).decode()[4 if lead else 0 :] for lead in (0, 1, 2))
    return (secret, *sorted({text.rstrip("=")[:-1] for text in shifted}))


SECRETS: Final = (CANARY, KEY, OTHER_KEY, PIN)
"""The lab's canary, the API keys of the callers of tests, and the credential of the sample service."""

_FORMS: Final = tuple(form for secret in SECRETS for form in forms_of(secret))
_KEY: Final = re.compile(PATTERN)
_OUTPUT_FILES: Final = re.compile(r"log|.*\.(jsonl|log|db|sqlite)([-.].*)?|audit.*")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PACKAGE: Final = "cloud_native_mcp"


def look(where: str, output: object) -> None:
    """Note it when a secret is in the output."""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)
    if any(form in text for form in _FORMS) or _KEY.search(text):
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


def _look_at_http() -> None:
    """Look at every message an HTTP application sends."""
    original = HttpApp.__call__

    async def looked_at(self: HttpApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def looking(message: Message) -> None:
            look("HTTP", message.get("body", b""))
            look("HTTP headers", message.get("headers", ()))
            await send(message)

        await original(self, scope, receive, looking)

    HttpApp.__call__ = looked_at


def _look_at_logs() -> None:
    """Look at every record of the server's loggers: those handed on, and those of levels that are off."""
    formatter = TextFormatter(scrub)
    handle = logging.Logger.handle

    def handled(self: logging.Logger, record: logging.LogRecord) -> None:
        if self.name.startswith(_PACKAGE):
            formatter.format(record)
        handle(self, record)

    logging.Logger.handle = handled
    for name, level in _LEVELS.items():
        setattr(logging.Logger, name, _also_when_off(getattr(logging.Logger, name), level))


def _also_when_off(original: Callable[..., None], level: int) -> Callable[..., None]:
    @functools.wraps(original)
    def logged(self: logging.Logger, message: object, *given: object, **named: Any) -> None:
        if self.name.startswith(_PACKAGE) and not self.isEnabledFor(level):
            look(f"log of {self.name}", scrub(str(message) % given if given else str(message)))
        named["stacklevel"] = named.get("stacklevel", 1) + 1
        original(self, message, *given, **named)

    return logged


def _is_server(words: list[str]) -> bool:
    """Whether a command line runs the server: its own program, or Python with its package."""
    if words[0] == sys.executable:
        return any(_PACKAGE in word for word in words[1:3])
    return words[0].rpartition("/")[2] == _PACKAGE.replace("_", "-")


def _look_at_processes() -> None:
    """Look at what processes of the server wrote, when a test waits for them to end."""
    popen: Any = subprocess.Popen
    original = popen.communicate

    @functools.wraps(original)
    def communicate(self: subprocess.Popen[Any], *given: object, **named: object) -> tuple[object, object]:
        out, err = original(self, *given, **named)
        arguments = cast("list[object]", self.args) if isinstance(self.args, list) else [self.args]
        words = [str(argument) for argument in arguments]
        if _is_server(words):
            look("standard error", err or "")
            if not {"create", "rotate"} & set(words):
                look("standard output", out or "")
        return out, err

    popen.communicate = communicate


def look_at_files(folder: Path) -> None:
    """Look at the audit, log and database files below a folder."""
    for path in folder.rglob("*"):
        if _OUTPUT_FILES.fullmatch(path.name) and path.is_file():
            look(f"file {path.name}", path.read_bytes())


_look_at_http()
_look_at_logs()
_look_at_processes()
_look_at(Renderer, "render")
_look_at(Renderer, "render_error")
_look_at(LineFile, "append", argument=True)
_look_at(Database, "append", argument=True)
_look_at(Metrics, "render")
_look_at(TextFormatter, "format")
_look_at(JsonFormatter, "format")


@pytest.fixture(autouse=True)
def no_canary(request: pytest.FixtureRequest) -> Generator[None]:
    """Fails a test during which a secret came through."""
    SEEN.clear()
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if isinstance(folder, Path):
        look_at_files(folder)
    assert SEEN == []
