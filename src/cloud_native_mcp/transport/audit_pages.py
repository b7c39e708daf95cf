"""The audit over HTTP: ``/api/audit/logs`` and ``/api/audit/stats``, for callers who may read it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import orjson

from cloud_native_mcp.audit.question import question_of
from cloud_native_mcp.audit.reader import AuditUnreadable
from cloud_native_mcp.audit.record import AuditRecord
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.limits.problem import send_problem
from cloud_native_mcp.transport.caller import principal_of
from cloud_native_mcp.transport.reply import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloud_native_mcp.audit.question import Question
    from cloud_native_mcp.audit.reader import AuditReader
    from cloud_native_mcp.contract.principal import Principal

LOGS: Final = "/api/audit/logs"
STATS: Final = "/api/audit/stats"
_MOST_QUERY: Final = 4_096


class AuditPages:
    """ASGI: answers questions about the audit.

    Args:
        reader: of the database; None where records go elsewhere.
        may_read: whether a caller may.
        note: takes the record of each question: who read what others did is on record, too.
    """

    def __init__(
        self,
        reader: AuditReader | None,
        *,
        may_read: Callable[[Principal], bool],
        note: Callable[[AuditRecord], None],
    ) -> None:
        self._reader = reader
        self._may_read = may_read
        self._note = note

    @property
    def routes(self) -> Mapping[str, ASGIApp]:
        """Where the pages are."""
        return {LOGS: self, STATS: self}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        del receive
        if scope["method"] != "GET":
            return await send_problem(send, 405, "use GET", {"allow": "GET"})
        principal = principal_of(scope)
        if not self._may_read(principal):
            self._tell(scope, principal, "refused", "denied_by_policy")
            return await send_problem(send, 403, "none of your roles lets you read the audit", {})
        if self._reader is None:
            return await send_problem(send, 404, "records are not kept in a database; the operator can set one", {})
        try:
            answer = await asyncio.to_thread(_answer, self._reader, scope["path"], _question(scope))
        except ConfigError as error:
            return await send_problem(send, 400, str(error), {})
        except AuditUnreadable as error:
            self._tell(scope, principal, "failed", "audit_unavailable")
            return await send_problem(send, 503, f"the audit cannot be read: {error}", {"retry-after": "5"})
        self._tell(scope, principal, "ok", "")
        return await reply(send, 200, answer, headers=[(b"cache-control", b"no-store")])

    def _tell(self, scope: Scope, principal: Principal, outcome: str, code: str) -> None:
        asked = scope["query_string"].decode("latin-1")[:_MOST_QUERY]
        self._note(
            AuditRecord(
                phase="end",
                principal=principal.id,
                method=principal.method,
                groups=principal.groups,
                door="http",
                endpoint=scope["path"],
                effect="read",
                arguments=dict(parse_qsl(asked)),
                outcome=outcome,
                code=code,
            )
        )


def _question(scope: Scope) -> Question:
    given: dict[str, str] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1")[:_MOST_QUERY], keep_blank_values=True):
        given[name] = f"{given[name]},{value}" if name in given else value
    return question_of(given)


def _answer(reader: AuditReader, path: str, question: Question) -> bytes:
    if path == STATS:
        return orjson.dumps(reader.count(question))
    found = reader.find(question)
    return orjson.dumps({"records": found.records, "cursor": None if found.cursor is None else str(found.cursor)})
