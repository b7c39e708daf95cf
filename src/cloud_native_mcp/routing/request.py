"""What every door hands to the call chain, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.call import Progress
    from cloud_native_mcp.contract.principal import Principal

Door = Literal["streamable-http", "sse", "stdio", "cli"]
AGGREGATE = "aggregate"


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of the program that calls: for the audit and the logs, never for decisions."""

    door: Door
    peer: str = ""
    protocol_version: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One ``tools/call``. ``arguments`` are as the client sent them: nothing is checked yet.

    ``consent`` is the confirmation code of a plan that the person at the client agreed to when asked.
    """

    endpoint: str
    tool: str
    arguments: Mapping[str, object]
    principal: Principal
    client: Client
    progress: Progress
    request_id: str
    consent: str = ""


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """One answer: MCP content blocks in wire form (``{"type": "text", "text": …}``).

    ``confirm`` is set when the answer shows a plan: the code that a door which can ask its person sends as consent.
    ``needs_person``: there is no other way to confirm it.
    """

    content: Sequence[Mapping[str, object]]
    is_error: bool = False
    code: str = ""
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    confirm: str = ""
    needs_person: bool = False


@dataclass(frozen=True, slots=True)
class ToolList:
    """The tools one caller sees at one endpoint, in wire form. Equal lists have equal digests."""

    digest: str
    tools: Sequence[Mapping[str, object]]


class ToolDoor(Protocol):
    """The inside of the server as the transports see it. There is no second path to a tool."""

    @property
    def endpoints(self) -> Sequence[str]:
        """``aggregate`` and the names of the running services."""
        ...

    def list_tools(self, endpoint: str, principal: Principal) -> ToolList:
        """What this caller sees there; static per endpoint and rights, and cheap (kept by rights)."""
        ...

    def input_schema(self, endpoint: str, name: str) -> Mapping[str, object] | None:
        """The schema of a tool of that endpoint, or None."""
        ...

    def may_ask(self, endpoint: str, name: str) -> bool:
        """Whether calls of that tool may answer a plan that a person is asked about."""
        ...

    async def call(self, request: CallRequest) -> CallAnswer:
        """Run the call chain.

        Raises:
            ToolError: only ``unknown_tool`` (absent and not permitted alike); every other refusal is an answer.
        """
        ...
