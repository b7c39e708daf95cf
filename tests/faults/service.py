"""What the fault suite must know of a service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

Ask = Callable[["Deadline"], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class FaultyService:
    """One service and one read of it that asks the backend exactly once, apart from what ``prelude`` answers.

    Attributes:
        connect: makes that read for a backend at a base URL, as the service itself would after its start; contacts
            nothing.
        good: an answer of the backend that makes the read succeed.
        forbidden: the backend's 403, and the words that the error must hold (verb, resource, namespace).
        object_missing: the backend's 404 for an object, an index, a query.
        api_missing: what the backend answers where it lacks the API altogether.
        prelude: answers requests that precede the read (discovery), also while the backend is faulty.
    """

    name: str
    connect: Callable[[str, HttpPool], Ask]
    good: Behaviour
    forbidden: Behaviour
    forbidden_words: tuple[str, ...]
    object_missing: Behaviour
    api_missing: Behaviour
    prelude: Callable[[Request], Behaviour | None]
