"""Running Helm against one cluster: with a home of its own, the server's identity, values on a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.services.helm.engine.child import run
from cloud_native_mcp.services.helm.engine.failures import failure
from cloud_native_mcp.services.helm.engine.home import home
from cloud_native_mcp.services.helm.engine.program import find_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.services.helm.engine.child import Ended
    from cloud_native_mcp.services.helm.engine.program import Program

MOST_BYTES: Final = 20_000_000


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
        given: bytes = b"",
        files: Mapping[str, bytes] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Ended:
        """Run Helm to its end, whatever that is.

        Args:
            client: the cluster; None runs without any.
            arguments: never options made from a caller's text; ``{name}`` stands for the path of a file.
            given: standard input, for ``--values -``.
            files: contents by the names that the arguments hold in braces.

        Raises:
            ToolError: ``engine_missing``, ``too_large``.
        """
        program = await self.program()
        access = client.access if client else None
        async with home(access, namespace=namespace, driver=self._driver) as place:
            paths = {f"{{{name}}}": str(await place.file(name, content)) for name, content in (files or {}).items()}
            return await run(
                program.path,
                [*(paths.get(one, one) for one in arguments), f"--namespace={namespace}"],
                environment=place.environment,
                folder=place.folder,
                most_bytes=most_bytes,
                given=given,
            )

    async def output(
        self,
        client: KubernetesClient | None,
        arguments: Sequence[str],
        *,
        namespace: str,
        given: bytes = b"",
        files: Mapping[str, bytes] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> bytes:
        """What Helm wrote to standard output, as `run`.

        Raises:
            ToolError: what Helm's words mean when it fails.
        """
        ended = await self.run(client, arguments, namespace=namespace, given=given, files=files, most_bytes=most_bytes)
        if ended.status != 0:
            raise failure(ended.complaint)
        return ended.output
