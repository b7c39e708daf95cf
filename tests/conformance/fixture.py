"""The server the official suite is run against: this project's own endpoint, with the suite's tools on it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcp.server.subscriptions import InMemorySubscriptionBus

from cloud_native_mcp.routing.request import AGGREGATE
from cloud_native_mcp.transport.endpoint import RawHandlers
from tests.conformance.content import CONTENT
from tests.conformance.input_required import INPUT_REQUIRED_TOOLS
from tests.conformance.interactive_tools import interactive_tools
from tests.conformance.plain_tools import ConformanceDoor
from tests.transport.serving import Running, serving

if TYPE_CHECKING:
    from collections.abc import Generator

    from cloud_native_mcp.transport.config import LegacyMode

STATE_KEY = b"a key for the state of calls, of no secret at all"


@contextmanager
def conformance_server(legacy: LegacyMode) -> Generator[Running]:
    """Serve the fixture at ``/mcp``."""
    bus = InMemorySubscriptionBus()
    raw = RawHandlers(requests=CONTENT, tools={**interactive_tools(bus), **INPUT_REQUIRED_TOOLS})
    with serving(
        ConformanceDoor(),
        raw={AGGREGATE: raw},
        bus=bus,
        legacy=legacy,
        state_keys=[STATE_KEY],
        session_retry_ms=100,
    ) as running:
        yield running
