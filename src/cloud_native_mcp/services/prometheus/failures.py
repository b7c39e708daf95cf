"""Which error a failed answer of the Prometheus HTTP API stands for.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview. An answer of status 200 whose
envelope says ``error`` is an error too. Compatible backends (Thanos, Mimir, VictoriaMetrics) use the same envelope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.contract.http import HttpResponse
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.services.prometheus.answers import Reply
from cloud_native_mcp.upstream.errors import label_of
from cloud_native_mcp.upstream.status import raise_for_status

if TYPE_CHECKING:
    from cloud_native_mcp.contract.http import HttpTarget
    from cloud_native_mcp.errors import ErrorKind

SHOWN: Final = 500
"""Characters of the backend's own words that are passed on."""

_AGENT: Final = "unavailable with Prometheus Agent"
_HEAVY: Final = ("too many samples", "context deadline exceeded", "query timed out", "exceeds limit", "exceeded limit")
_BY_STATUS: Final = frozenset({401, 403, 413, 429})
"""Statuses that tell the code whatever the envelope says of it."""


class PrometheusError(BackendError):
    """An error of the API.

    Attributes:
        error_type: the envelope's ``errorType`` (``bad_data``, ``execution`` …), empty without an envelope.
        said: the backend's own words.
    """

    def __init__(
        self, code: str, text: str, *, kind: ErrorKind | None, status: int, error_type: str, said: str
    ) -> None:
        self.error_type = error_type
        self.said = said
        super().__init__(code, text, kind=kind, status=status)


def failure_of(
    response: HttpResponse, *, what: str, target: HttpTarget, bad_data: str, alternative: str
) -> BackendError | None:
    """The error an answer stands for, or None when it is a success (its form is not checked).

    Args:
        what: what was asked for; part of the text.
        bad_data: the code for an argument the server refuses (``bad_query``, ``bad_selector``, ``rejected``).
        alternative: what to do where the server lacks the API; part of the text.
    """
    envelope = _envelope(response)
    if envelope is not None and envelope.status == "error":
        if response.status not in _BY_STATUS:
            return _from_envelope(envelope, response, what=what, target=target, bad_data=bad_data)
        response = HttpResponse(response.status, response.headers, envelope.error.encode())
    if response.status in {404, 405, 501}:
        why = {404: "it has no such API (404)", 405: "it does not allow the method (405)", 501: "not built in (501)"}
        text = f"{label_of(target)}: {what}: {why[response.status]}; {alternative}"
        return PrometheusError("unsupported", text, kind="final", status=response.status, error_type="", said="")
    try:
        raise_for_status(response, what=what, target=target)
    except BackendError as error:
        return error
    return None


def _envelope(response: HttpResponse) -> Reply[msgspec.Raw] | None:
    """The envelope of an answer that is no success, or None. Successful bodies are not decoded twice."""
    body = response.body
    if response.status == 200 and not body[:40].replace(b" ", b"").startswith(b'{"status":"error"'):
        return None
    try:
        return msgspec.json.decode(body, type=Reply[msgspec.Raw])
    except msgspec.DecodeError:
        return None


def _from_envelope(
    envelope: Reply[msgspec.Raw], response: HttpResponse, *, what: str, target: HttpTarget, bad_data: str
) -> BackendError:
    said = one_line(envelope.error)
    code, kind, advice = _reading(envelope.error_type, envelope.error, response.status, bad_data)
    text = f"{label_of(target)}: {what}: {said}{advice}"
    return PrometheusError(
        code, text, kind=kind, status=response.status, error_type=envelope.error_type, said=envelope.error
    )


def _reading(error_type: str, said: str, status: int, bad_data: str) -> tuple[str, ErrorKind | None, str]:
    """Code, kind and advice."""
    if _AGENT in said:
        return "unsupported", "final", "; an agent stores nothing: ask the server it writes to"
    if error_type == "timeout" or any(words in said for words in _HEAVY):
        return "too_heavy", "fix", "; narrow it: a shorter range, a larger step, more label matchers"
    if error_type == "bad_data":
        return bad_data, "fix", ""
    if error_type in {"execution", "execution_error"}:
        return ("bad_query" if bad_data == "bad_query" else "rejected"), "fix", ""
    if error_type == "not_found":
        return "not_found", None, ""
    if 400 <= status < 500:
        return "rejected", None, ""
    return "backend_error", None, f" (status {status}, {error_type or 'no type'})"


def one_line(text: str) -> str:
    """A backend's words as one masked line of at most `SHOWN` characters."""
    line = " ".join(scrub(clean(text)).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
