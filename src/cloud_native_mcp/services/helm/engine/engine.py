"""Running Helm against one cluster: with a home of its own and the server's identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.reach import Reach
from cloud_native_mcp.services.helm.engine.child import run
from cloud_native_mcp.services.helm.engine.home import home
from cloud_native_mcp.services.helm.engine.program import find_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.services.helm.engine.child import Ended
    from cloud_native_mcp.services.helm.engine.program import Program

MOST_BYTES: Final = 20_000_000
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

    async def run(self, client: KubernetesClient, arguments: Sequence[str], *, namespace: str) -> Ended:
        """Run Helm to its end, whatever that is.

        Args:
            arguments: never options made from a caller's text.

        Raises:
            ToolError: ``engine_missing``, ``too_large``; ``denied_by_policy`` when the fence keeps the release back.
        """
        for verb in _STORING:
            reach = Reach(verb, "", f"{self._driver}s", namespace=namespace)
            client.fence.check(reach, spans=False)
        program = await self.program()
        async with home(client.access, namespace=namespace, driver=self._driver) as place:
            return await run(
                program.path,
                [*arguments, f"--namespace={namespace}"],
                environment=place.environment,
                folder=place.folder,
                most_bytes=MOST_BYTES,
            )
