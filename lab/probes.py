"""Bounded waiting, and the HTTP questions that servers answer when they are ready."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from lab.errors import LabError
from lab.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.05
ANSWER_SECONDS = 2.0


def answers(url: str) -> bool:
    """Whether `url` answers a GET with 200; any certificate will do."""
    return _get(url) is not None


def listens(port: int) -> bool:
    """Whether something takes connections at a loopback port."""
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_SECONDS):
            return True
    except OSError:
        return False


def read(url: str) -> str:
    """The text at `url`; empty when it does not answer with 200."""
    return (_get(url) or b"").decode(errors="replace")


def _get(url: str) -> bytes | None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", urlunsplit(("", "", parts.path or "/", parts.query, "")))
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return content if response.status == 200 else None


def wait_until(what: str, check: Callable[[], bool], *, within: float, tick: Callable[[], None] | None = None) -> None:
    """Ask `check` again and again until it holds; LabError after `within` seconds."""
    deadline = time.monotonic() + within
    pause = POLL_SECONDS
    while not check():
        if time.monotonic() >= deadline:
            raise LabError(f"{what} did not happen within {within:.0f} s")
        if tick is not None:
            tick()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
