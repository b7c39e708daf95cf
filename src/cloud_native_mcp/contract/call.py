"""What a tool is given besides its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from msgspec import UnsetType

    from cloud_native_mcp.contract.confirmation import Confirmations, Plan
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.contract.result import CursorState, Result
    from cloud_native_mcp.contract.server import ServerView

ServiceT_co = TypeVar("ServiceT_co", covariant=True)


class Progress(Protocol):
    """Tells the caller how far a call is. Cheap when nobody listens."""

    async def __call__(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Report ``done`` (of ``total``, when known); ``message`` says in words what happens now."""
        ...


class Cursors(Protocol):
    """Opens the cursor a caller sent back; it is bound to caller, tool, target and arguments."""

    def open(self, text: str) -> CursorState:
        """The state sealed in a cursor.

        Raises:
            ToolError: ``invalid_cursor`` (forged, another's, another call's) or ``expired_cursor``.
        """
        ...


class Tools(Protocol):
    """Other tools, called as children of this call: authorised and audited, within the same deadline and seat."""

    async def call(self, name: str, arguments: Mapping[str, object]) -> Result:
        """The structured answer of another tool; raises `ToolError` as that tool would."""
        ...


class Call(Generic[ServiceT_co]):
    """One call of one tool.

    Attributes:
        service: the running service the tool belongs to (what its ``start`` returned).
        target: the configured cluster or backend this call is about.
        targets: all targets asked; more than one only for ``target=*`` on tools that allow it.
        given: names of the arguments the caller gave (so that a default can be told from a choice).
        log: a logger with the request's ids in its context.
    """

    __slots__ = (
        "_confirmations",
        "cursors",
        "deadline",
        "given",
        "log",
        "principal",
        "progress",
        "request_id",
        "server",
        "service",
        "target",
        "targets",
        "tool",
        "tools",
    )

    def __init__(
        self,
        *,
        tool: str,
        service: ServiceT_co,
        principal: Principal,
        targets: tuple[str, ...],
        deadline: Deadline,
        given: frozenset[str],
        progress: Progress,
        cursors: Cursors,
        confirmations: Confirmations,
        tools: Tools,
        server: ServerView,
        log: logging.LoggerAdapter[logging.Logger],
        request_id: str,
    ) -> None:
        self.tool = tool
        self.service = service
        self.principal = principal
        self.targets = targets
        self.target = targets[0] if targets else ""
        self.deadline = deadline
        self.given = given
        self.progress = progress
        self.cursors = cursors
        self.tools = tools
        self.server = server
        self.log = log
        self.request_id = request_id
        self._confirmations = confirmations

    def confirm(self, plan: Plan, code: str | UnsetType) -> Result | None:
        """None when the plan may be carried out; else the answer to give, which shows the plan and asks for consent.

        Args:
            code: the tool's ``confirm`` argument.

        Raises:
            ToolError: ``plan_changed`` for a code of another plan, or one that is too old.
        """
        return self._confirmations.settle(plan, code)
