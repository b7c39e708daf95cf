"""One ``tools/call`` taken to the tool door: the same for the protocol library's way and the fast one."""

from __future__ import annotations

import logging
import re
import secrets
from typing import TYPE_CHECKING, Final, cast

from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from cloud_native_mcp.contract.principal import ANONYMOUS, LOCAL, Principal
from cloud_native_mcp.errors import CnmcpError, ToolError
from cloud_native_mcp.routing.request import CallRequest, Client, Door
from cloud_native_mcp.transport.headers import first

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from typing import Any

    from cloud_native_mcp.contract.call import Progress
    from cloud_native_mcp.routing.request import CallAnswer, ToolDoor
    from cloud_native_mcp.transport.drain import Drain

_log = logging.getLogger(__name__)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class CallFailed(CnmcpError):
    """A call that ends in a JSON-RPC error instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Caller:
    """Calls tools of one endpoint."""

    def __init__(self, endpoint: str, door: ToolDoor, drain: Drain) -> None:
        self._endpoint = endpoint
        self._door = door
        self._drain = drain

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, object],
        *,
        principal: Principal,
        client: Client,
        progress: Progress,
        consent: str = "",
    ) -> CallAnswer:
        """The answer of a tool.

        Args:
            consent: the code of a plan that the person at the client agreed to.

        Raises:
            CallFailed: -32602 for a tool that is absent or not permitted (one text for both), -32603 for a fault here.
        """
        request = CallRequest(
            endpoint=self._endpoint,
            tool=tool,
            arguments=arguments,
            principal=principal,
            client=client,
            progress=progress,
            request_id=secrets.token_hex(8),
            consent=consent,
        )
        with self._drain:
            try:
                return await self._door.call(request)
            except ToolError as error:
                if error.code == "unknown_tool":
                    raise CallFailed(INVALID_PARAMS, "unknown tool") from None
                raise self._fault(request) from None
            except Exception:  # noqa: BLE001 - the top handler: whatever happens, the caller gets an answer
                raise self._fault(request) from None

    def _fault(self, request: CallRequest) -> CallFailed:
        _log.exception("call failed: request %s", request.request_id)
        return CallFailed(INTERNAL_ERROR, f"a fault of this server; tell the operator: request {request.request_id}")


def principal_of(scope: MutableMapping[str, Any] | None) -> Principal:
    """Who the middleware in front found; without a request (stdio) the person at the terminal."""
    if scope is None:
        return LOCAL
    found = scope.get("state", {}).get("principal", ANONYMOUS)
    return cast("Principal", found)


def client_of(scope: MutableMapping[str, Any] | None, *, version: str, meta: Mapping[str, object] | None) -> Client:
    """What is known of the calling program. A ``traceparent`` in the message wins over the header's."""
    given = meta.get("traceparent") if meta else None
    if scope is None:
        return Client(door="stdio", protocol_version=version, traceparent=_valid_trace(given))
    if given is None:
        given = (first(scope["headers"], b"traceparent") or b"").decode("latin-1")
    peer = cast("Sequence[object] | None", scope.get("client"))
    return Client(
        door=cast("Door", scope.get("state", {}).get("door", "streamable-http")),
        peer=str(peer[0]) if peer else "",
        protocol_version=version,
        traceparent=_valid_trace(given),
    )


def _valid_trace(given: object) -> str:
    return given if isinstance(given, str) and _TRACEPARENT.fullmatch(given) else ""
