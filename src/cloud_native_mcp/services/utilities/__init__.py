"""Utilities: time, waiting, fetching public pages, and the state of this server. No backend of its own."""

from cloud_native_mcp.contract.service import ServiceSpec

SPEC = ServiceSpec(
    name="utilities",
    title="Utilities",
    summary="Time and time zones, pauses, public web pages, and the state of this server and its backends.",
    config="config:UtilitiesConfig",
    start="service:start",
    tools=("tools.time", "tools.wait", "tools.fetch", "tools.status"),
    target_noun="",
)
