"""Errors of an API server: its Status objects turned into the codes all services share.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ tells the fields; which texts stand for
what was read off API server 1.37, because quota, pod security, RBAC and webhooks share statuses and reasons.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.upstream.errors import label_of
from cloud_native_mcp.upstream.retry import retry_after
from cloud_native_mcp.upstream.status import body_head

if TYPE_CHECKING:
    from cloud_native_mcp.contract.http import HttpResponse, HttpTarget

SHOWN_MESSAGE: Final = 500
_SHOWN_CAUSES: Final = 5


class Cause(msgspec.Struct, frozen=True, gc=False):
    """One reason of a refusal; ``field`` is the path inside the object."""

    reason: str = ""
    message: str = ""
    field: str = ""


class Details(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What a Status is about. ``kind`` is the plural of the resource here."""

    name: str = ""
    group: str = ""
    kind: str = ""
    causes: list[Cause] = []
    retry_after_seconds: int = 0


class Status(msgspec.Struct, frozen=True, gc=False):
    """A Kubernetes Status."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None


class KubernetesError(BackendError):
    """An API server's refusal or failure.

    Attributes:
        reason: the machine-readable reason (``NotFound``, ``Expired``), or empty.
        message: the server's own words, cleaned, masked, cut.
        details: what it is about.
        path_unknown: the server has no such API path (as against no such object).
    """

    def __init__(
        self, code: str, text: str, *, status: Status, http_status: int, wait: float | None, path_unknown: bool = False
    ) -> None:
        self.reason = status.reason
        self.message = status.message
        self.details = status.details or Details()
        self.path_unknown = path_unknown
        super().__init__(code, text, status=http_status, retry_after=wait)


_BY_TEXT: Final = tuple(
    (frozenset(statuses), re.compile(pattern), code)
    for statuses, pattern, code in (
        ({403}, r"exceeded quota:", "quota_exceeded"),
        ({403}, r"violates PodSecurity", "pod_security_denied"),
        ({400, 403, 409, 422, 500}, r"admission webhook .* denied the request", "webhook_denied"),
        ({422}, r"ValidatingAdmissionPolicy .* denied request", "webhook_denied"),
        ({500}, r"failed to create typed patch object|field not declared in schema", "invalid_object"),
        (
            {400},
            r"field label not supported|unable to parse requirement|found '.*', expected|selector",
            "invalid_selector",
        ),
        ({400}, r"continue (?:key|token)|continue value", "expired_cursor"),
        ({409}, r"[Pp]recondition", "precondition_failed"),
    )
)
_BY_STATUS: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "unsupported",
    406: "unsupported",
    409: "conflict",
    410: "expired_cursor",
    413: "rejected",
    415: "unsupported",
    422: "invalid_object",
    429: "throttled",
    504: "timeout",
}
_STRICT: Final = ": strict decoding error"


def raise_for_status(response: HttpResponse, *, what: str, target: HttpTarget) -> None:
    """Raise the error of an answer outside 200..299.

    Args:
        what: what was asked for (``list pods in shop``); part of the error's text.

    Raises:
        KubernetesError: with the code, the server's message (at most `SHOWN_MESSAGE` characters) and its causes.
    """
    if 200 <= response.status < 300:
        return
    said = _read(response)
    status = msgspec.structs.replace(said, message=shown_message(said.message))
    path_unknown = response.status == 404 and not (status.details and status.details.name and status.details.kind)
    code = "unsupported" if path_unknown else _code(response.status, said.message)
    words = f": {status.message}" if status.message else ""
    reason = f" {status.reason}" if status.reason else ""
    absent = "this cluster does not serve that API path" if path_unknown else ""
    text = f"{label_of(target)}: {what}: {absent or f'status {response.status}{reason}'}{words}{_causes(status)}"
    raise KubernetesError(
        code,
        text,
        status=status,
        http_status=response.status,
        wait=_wait(response, status),
        path_unknown=path_unknown,
    )


def _read(response: HttpResponse) -> Status:
    """The Status in an answer; what is none becomes one that holds the head of the body."""
    try:
        status = msgspec.json.decode(response.body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Status(message=body_head(response))
    if status.kind != "Status":
        return Status(message=body_head(response))
    return status


def _code(http_status: int, message: str) -> str:
    for statuses, pattern, code in _BY_TEXT:
        if http_status in statuses and pattern.search(message):
            return code
    if http_status in _BY_STATUS:
        return _BY_STATUS[http_status]
    return "rejected" if 400 <= http_status < 500 else "backend_error"


def shown_message(message: str) -> str:
    """The server's words without the object that a strict patch repeats in them."""
    if _STRICT in message:
        message = "strict decoding error" + message.rpartition(_STRICT)[2]
    line = " ".join(scrub(clean(message[: 8 * SHOWN_MESSAGE])).split())
    return line if len(line) <= SHOWN_MESSAGE else f"{line[: SHOWN_MESSAGE - 1]}…"


def _causes(status: Status) -> str:
    """Causes by field, where the message does not hold them already."""
    causes = status.details.causes if status.details else []
    told = [
        f"{cause.field}: {shown_message(cause.message)[:150]}"
        for cause in causes[:_SHOWN_CAUSES]
        if cause.field and cause.field not in status.message and _STRICT not in cause.message
    ]
    return f" ({'; '.join(told)})" if told else ""


def _wait(response: HttpResponse, status: Status) -> float | None:
    asked = retry_after(response.headers)
    if asked is None and status.details and status.details.retry_after_seconds:
        return float(status.details.retry_after_seconds)
    return asked
