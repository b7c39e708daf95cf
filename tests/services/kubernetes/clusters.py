"""Clusters the tools are tested on: the lab's as several users, dead ones, and scripted ones."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ToolError
from tests.calls import desk
from tests.fault_server.server import fault_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping

    from cloud_native_mcp.upstream.observer import UpstreamObserver
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

NOBODY_LISTENS = "http://127.0.0.1:9"


@contextlib.asynccontextmanager
async def clusters(
    *,
    service: str = "kubernetes",
    settings: Mapping[str, object] | None = None,
    observer: UpstreamObserver | None = None,
    policy: Mapping[str, object] | None = None,
    fence: Mapping[str, object] | None = None,
    **kubeconfigs: Path,
) -> AsyncGenerator[Desk]:
    """The service with a target for each kubeconfig, the first one its default, under that policy and fence."""
    rules = {"policy": dict(policy or {}), "fence": dict(fence or {})}
    targets = {name: {"kubeconfig": str(path), **rules} for name, path in kubeconfigs.items()}
    async with desk(service, {"targets": targets, **(settings or {})}, observer=observer) as running:
        yield running


@contextlib.asynccontextmanager
async def scripted(choose: Callable[[Request], Behaviour], **others: Path) -> AsyncGenerator[Desk]:
    """The service with a scripted API server as target ``scripted``, before any others."""
    async with fault_server(choose=choose) as server:
        with kubeconfig_of(server.url) as path:
            async with clusters(
                service="kubernetes", settings=None, observer=None, policy=None, fence=None, scripted=path, **others
            ) as running:
                yield running


@contextlib.contextmanager
def kubeconfig_of(url: str) -> Generator[Path]:
    """A kubeconfig for a server that asks for no credentials."""
    content: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "one", "cluster": {"server": url}}],
        "users": [{"name": "one", "user": {}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one", "namespace": "here"}}],
        "current-context": "one",
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(content), encoding="utf-8")
        yield path


async def error_of(attempt: Coroutine[object, object, object]) -> ToolError:
    """The error that an attempt ends with."""
    with pytest.raises(ToolError) as caught:
        await attempt
    return caught.value


class Counter:
    """Counts the requests that reach a backend."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """One attempt ended."""
        del service, target, seconds
        self.outcomes.append(outcome)
