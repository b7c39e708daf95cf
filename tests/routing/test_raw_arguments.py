"""Arguments of a tool with a schema of its own are passed on as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.contract.service import ServiceSpec
from cloud_native_mcp.contract.tool import Tool
from cloud_native_mcp.routing.binding import bind
from cloud_native_mcp.routing.catalogue import entries_of

if TYPE_CHECKING:
    from cloud_native_mcp.contract.call import Call

SPEC = ServiceSpec(name="raw", title="Raw", summary="", config="", start="", tools=())


async def _run(call: Call[object], args: object) -> Result:
    return Result(header=f"{call.tool} {args}")


def test_a_number_of_any_size_binds_and_equal_calls_have_equal_bytes() -> None:
    tool = Tool("pass", "Passes all on.", _run, Effect.READ, schema={"type": "object"})
    (entry,) = entries_of(SPEC, [tool], ())
    bound = bind(entry, {"n": 10**30, "a": [1], "cursor": "x"})
    assert bound.args == {"n": 10**30, "a": [1], "cursor": "x"}
    assert bound.canonical == bind(entry, {"a": [1], "n": 10**30, "cursor": "y"}).canonical
    assert bound.canonical != bind(entry, {"a": [1], "n": 10**30 + 1}).canonical
