"""Every error this server raises on purpose, in one tree.

::

    CnmcpError
    ├── ConfigError                 all problems of a configuration at once; exit code 2
    ├── ServiceDefinitionError      a service or tool is declared wrongly; a start-up error
    └── ToolError                   refused or failed call; becomes a tool result with ``isError``
        ├── InvalidArgument         names the field, what is wrong with it and the fix
        └── BackendError            the backend (or the way to it) failed; carries its status and words

A `ToolError` carries one *code*. The codes all services share are in `CODES` with what the caller should do about
each; a tool declares the codes it alone uses (`contract.tool.Tool.own_errors`). Two kinds matter to a caller: ``fix``
(change the arguments and call again) and ``final`` (the same call will not work); ``wait`` is final for now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

ErrorKind = Literal["fix", "final", "wait"]


@dataclass(frozen=True, slots=True)
class Code:
    """What one error code tells the caller: its kind, what it means, and what to do."""

    kind: ErrorKind
    meaning: str
    advice: str


CODES: Final[dict[str, Code]] = {
    "invalid_argument": Code("fix", "refused before any backend call", "correct the named field"),
    "invalid_selector": Code("fix", "a selector is malformed or not supported", "correct the selector"),
    "invalid_jsonpath": Code("fix", "a JSONPath is malformed", "correct the expression"),
    "unknown_tool": Code("fix", "no tool of that name", "use a listed tool"),
    "not_found": Code("fix", "nothing there", "use a given name"),
    "unknown_kind": Code("fix", "no such API kind", "use a given kind"),
    "ambiguous_kind": Code("fix", "several APIs have that kind", "add the group"),
    "forbidden": Code("final", "the backend says no", "ask for rights, or narrow the namespace"),
    "unauthorized": Code("final", "the server's credential for the target is expired or wrong", "tell the operator"),
    "effect_not_allowed": Code("final", "this server does not allow that effect", "do not retry"),
    "denied_by_policy": Code("final", "this server's own rules refuse it", "do not retry"),
    "needs_person": Code("final", "a person has to agree, and was not asked", "use a client that asks its person"),
    "conflict": Code("fix", "changed meanwhile", "read, then retry"),
    "precondition_failed": Code("fix", "changed meanwhile", "read, then retry"),
    "invalid_object": Code("fix", "the backend refused the content", "correct the object"),
    "quota_exceeded": Code("final", "a quota is used up", "free or raise the quota"),
    "webhook_denied": Code("fix", "an admission webhook or policy refused it", "correct the object"),
    "pod_security_denied": Code("fix", "the pod security level refuses it", "correct the object"),
    "rejected": Code("fix", "the backend refused the request", "correct the request"),
    "expired_cursor": Code("fix", "that page is no longer available", "list again without cursor"),
    "invalid_cursor": Code("fix", "not a cursor of this call", "list again without cursor"),
    "plan_changed": Code("fix", "what was planned changed since", "call again without confirm"),
    "throttled": Code("wait", "too many requests", "wait as told, then retry"),
    "timeout": Code("final", "the deadline was reached", "narrow the call, or continue"),
    "cancelled": Code("final", "the caller went away", "nothing"),
    "unreachable": Code("final", "no connection to the backend", "check the backend"),
    "bad_answer": Code("final", "the backend's answer is not the expected API", "check the backend"),
    "backend_error": Code("final", "the backend failed", "check the backend"),
    "unsupported": Code("final", "the backend lacks this feature", "use the named alternative"),
    "unknown_outcome": Code("final", "a write was sent and no answer came", "read the state before repeating"),
    "service_unavailable": Code("final", "the service did not start", "tell the operator"),
    "audit_unavailable": Code("final", "no audit sink stored the record, so nothing was done", "tell the operator"),
    "internal": Code("final", "a fault of this server", "tell the operator, with the request id"),
}


class CnmcpError(Exception):
    """Root of all errors raised on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration: the dotted path of the setting and what is wrong there."""

    path: str
    text: str


class ConfigError(CnmcpError):
    """The configuration cannot be used. Holds every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.text}" for p in self.problems))


class ServiceDefinitionError(CnmcpError):
    """A service or one of its tools is declared wrongly (a mistake of its author)."""


class ToolError(CnmcpError):
    """A call that is refused or failed.

    Args:
        code: a key of `CODES`, or one of the tool's own error codes.
        text: one line: what, where, and what to do. Never a stack, a secret or a path of this machine.
        kind: only for own codes; the shared ones have theirs in `CODES`.
        retry_after: seconds to wait, for ``throttled``.
    """

    def __init__(
        self, code: str, text: str, *, kind: ErrorKind | None = None, retry_after: float | None = None
    ) -> None:
        self.code = code
        self.text = text
        self.kind: ErrorKind = kind or (CODES[code].kind if code in CODES else "fix")
        self.retry_after = retry_after
        super().__init__(f"{code}: {text}")


class InvalidArgument(ToolError):
    """One or more arguments are wrong; nothing was sent to a backend."""

    def __init__(self, field: str, text: str, *, code: str = "invalid_argument") -> None:
        self.field = field
        super().__init__(code, f"{field}: {text}")


class BackendError(ToolError):
    """The backend, or the way to it, failed.

    Args:
        status: the backend's HTTP status, when it answered at all.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        kind: ErrorKind | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        super().__init__(code, text, kind=kind, retry_after=retry_after)
