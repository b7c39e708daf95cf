"""Running Helm against one cluster: with a home of its own and the identity of the client it is given."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.reach import Reach
from cloud_native_mcp.services.helm.engine.child import run
from cloud_native_mcp.services.helm.engine.door import door
from cloud_native_mcp.services.helm.engine.home import home
from cloud_native_mcp.services.helm.engine.program import find_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.services.helm.engine.child import Ended
    from cloud_native_mcp.services.helm.engine.program import Program

MOST_BYTES: Final = 20_000_000
CHART: Final = "CHART"
"""Among arguments: where the chart's file goes."""
_STORING: Final = ("get", "list", "create", "update", "delete")
"""What Helm does with the Secrets or ConfigMaps that hold releases."""


class Engine:
    """The Helm program of this server.

    Args:
        binary: the configured program; None looks for ``helm`` on the server's path.
        driver: where Helm keeps releases.
    """

    def __init__(self, binary: Path | None, driver: str) -> None:
        self._binary = binary
        self._driver = driver
        self._found: Program | None = None

    async def program(self) -> Program:
        """The program; once found it is taken for there.

        Raises:
            ToolError: ``engine_missing``.
        """
        if self._found is None:
            self._found = await find_program(self._binary)
        return self._found

    async def run(
        self,
        client: KubernetesClient | None,
        arguments: Sequence[str],
        *,
        namespace: str,
        chart: bytes | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Ended:
        """Run Helm to its end, whatever that is.

        Args:
            client: of the cluster it works on; None for what needs no cluster.
            arguments: never options made from a caller's text; ``CHART`` stands for the archive.
            chart: the archive of the chart, as a file for this run.
            values: given on standard input.

        Raises:
            ToolError: ``engine_missing``, ``too_large``; ``denied_by_policy`` when the fence keeps the release back.
        """
        if client is not None:
            self._check_fence(client, namespace)
        program = await self.program()
        async with contextlib.AsyncExitStack() as stack:
            access = await stack.enter_async_context(door(client)) if client is not None else None
            place = await stack.enter_async_context(home(access, namespace=namespace, driver=self._driver))
            file = str(await place.file("chart.tgz", chart)) if chart is not None else ""
            words = [file if word == CHART else word for word in arguments]
            return await run(
                program.path,
                [*words, f"--namespace={namespace}", *(["--values=-"] if values is not None else [])],
                environment=place.environment,
                folder=place.folder,
                most_bytes=MOST_BYTES,
                given=None if values is None else msgspec.json.encode(values),
            )

    def _check_fence(self, client: KubernetesClient, namespace: str) -> None:
        for verb in _STORING:
            reach = Reach(verb, "", f"{self._driver}s", namespace=namespace)
            client.fence.check(reach, spans=False)
