"""The fast path of one endpoint."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import orjson
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp_types import SERVER_INFO_META_KEY

from cloud_native_mcp.transport.caller import CallFailed, client_of, principal_of
from cloud_native_mcp.transport.consent import NOT_ASKED
from cloud_native_mcp.transport.fast.lists import EncodedLists
from cloud_native_mcp.transport.fast.match import Hot, Matcher
from cloud_native_mcp.transport.fast.stream import Answer
from cloud_native_mcp.transport.reply import reply_in_two

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from cloud_native_mcp.contract.call import Progress
    from cloud_native_mcp.routing.request import CallAnswer
    from cloud_native_mcp.transport.endpoint import Endpoint
    from cloud_native_mcp.transport.frame import Fields, Frame

SILENCE_SECONDS: Final = 15.0
"""After this long without a word a call's answer becomes a stream with keep-alive comments."""


class FastPath:
    """Answers hot messages of one endpoint."""

    def __init__(self, endpoint: Endpoint, *, silence_s: float = SILENCE_SECONDS) -> None:
        self._endpoint = endpoint
        self._matcher = Matcher(endpoint)
        self._lists = EncodedLists(endpoint.server.server_info_stamp)
        self._stamp = {SERVER_INFO_META_KEY: endpoint.server.server_info_stamp}
        self._silence_s = silence_s

    def match(self, frame: Frame, fields: Fields) -> Hot | None:
        """The message, when it is one of the hot ones."""
        return self._matcher.match(frame, fields)

    async def serve(self, hot: Hot, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        if hot.tool:
            return await self._call(hot, scope, receive, Answer(send))
        tools = self._endpoint.door.list_tools(self._endpoint.name, principal_of(scope))
        head = b'{"jsonrpc":"2.0","id":' + orjson.dumps(hot.request_id) + b',"result":'
        return await reply_in_two(send, head, self._lists.encoded(tools, hot.version))

    async def _call(self, hot: Hot, scope: Scope, receive: Receive, answer: Answer) -> None:
        call = asyncio.create_task(
            self._endpoint.caller.call(
                hot.tool,
                hot.arguments,
                principal=principal_of(scope),
                client=client_of(scope, version=hot.version, meta=hot.meta),
                progress=_progress(hot, answer),
            )
        )
        try:
            await asyncio.sleep(0)  # a call that needs no backend is done after its first step
            if not call.done() and not await self._until_done(call, receive, answer):
                return None
        finally:
            await _settle(call)
        try:
            body = self._result(hot, call.result())
        except CallFailed as failure:
            error = {"code": failure.code, "message": failure.message}
            status = ERROR_CODE_HTTP_STATUS.get(failure.code, 200) if hot.modern else 200
            body = orjson.dumps({"jsonrpc": "2.0", "id": hot.request_id, "error": error})
            return await answer.end(body, status=status)
        return await answer.end(body)

    async def _until_done(self, call: asyncio.Task[CallAnswer], receive: Receive, answer: Answer) -> bool:
        """Wait for the call, with signs of life; False when the client went away first."""
        gone = asyncio.create_task(_disconnect(receive))
        try:
            while not call.done():
                await asyncio.wait((call, gone), timeout=self._silence_s, return_when=asyncio.FIRST_COMPLETED)
                if gone.done() and not call.done():
                    return False
                if not call.done():
                    await answer.keep_alive()
            return True
        finally:
            await _settle(gone)

    def _result(self, hot: Hot, answer: CallAnswer) -> bytes:
        if answer.needs_person:  # a client that offers to ask its person does not come this way
            answer = NOT_ASKED
        result: dict[str, object] = {"content": list(answer.content), "isError": answer.is_error}
        if hot.modern:
            result["resultType"] = "complete"
            result["_meta"] = self._stamp
        message = {"jsonrpc": "2.0", "id": hot.request_id, "result": result}
        try:
            return orjson.dumps(message)
        except TypeError:  # unpaired surrogates, which only the slower encoder can escape
            return json.dumps(message, separators=(",", ":")).encode()


def _progress(hot: Hot, answer: Answer) -> Progress:
    token = hot.meta.get("progressToken")

    async def tell(done: float, total: float | None = None, message: str | None = None) -> None:
        if token is None:
            return
        params: dict[str, object] = {"progressToken": token, "progress": done}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        notice = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
        await answer.notice(json.dumps(notice, separators=(",", ":")).encode())

    return tell


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _settle(task: asyncio.Task[Any]) -> None:
    """Cancel the task unless it is done, and wait for its end; its outcome is for others to read."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
