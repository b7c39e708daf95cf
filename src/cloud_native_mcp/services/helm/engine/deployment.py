"""An install or upgrade as Helm is told to do it, and the preview of one.

https://helm.sh/docs/helm/helm_upgrade/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.services.helm.engine.changes import Change
from cloud_native_mcp.services.helm.engine.engine import CHART
from cloud_native_mcp.services.helm.engine.failures import failure
from cloud_native_mcp.services.helm.releases.record import body_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.services.helm.engine.engine import Engine
    from cloud_native_mcp.services.helm.releases.record import Body

ValuesMode = Literal["reset_then_reuse", "reuse", "reset"]
_MODES: Final[dict[ValuesMode, str]] = {
    "reset_then_reuse": "--reset-then-reuse-values",
    "reuse": "--reuse-values",
    "reset": "--reset-values",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is to be installed or upgraded.

    Attributes:
        chart: the archive.
        install: whether a missing release is installed.
        create_namespace: then also its namespace.
    """

    namespace: str
    release: str
    chart: bytes
    values: Mapping[str, object]
    values_mode: ValuesMode = "reset_then_reuse"
    install: bool = False
    create_namespace: bool = False

    @property
    def arguments(self) -> list[str]:
        """Of the program, the verb first."""
        words = ["upgrade", self.release, CHART, _MODES[self.values_mode]]
        words += ["--install"] if self.install else []
        return [*words, "--create-namespace"] if self.create_namespace else words

    def change(self, *, wait_seconds: int, rollback_on_failure: bool, major: int) -> Change:
        """The change that carries it out.

        Args:
            major: version of the program; the option to roll back changed its name.
        """
        undo = "--rollback-on-failure" if major >= 4 else "--atomic"
        arguments = [*self.arguments, *([undo] if rollback_on_failure else [])]
        return Change(
            "upgrade",
            self.namespace,
            self.release,
            arguments,
            wait_seconds=wait_seconds,
            chart=self.chart,
            values=self.values,
        )


async def preview(engine: Engine, client: KubernetesClient, deployment: Deployment, *, lookup: bool) -> Body:
    """The release as it would be; nothing is stored and no object is sent.

    Args:
        lookup: whether templates may read the cluster. Never for what is shown to a caller: a chart could put into a
            ConfigMap what it reads of a Secret.

    Raises:
        ToolError: ``render_failed``, ``values_invalid``, ``release_missing``, ``engine_missing``, …
    """
    arguments = [*deployment.arguments, f"--dry-run={'server' if lookup else 'client'}", "--output=json"]
    ended = await engine.run(
        client, arguments, namespace=deployment.namespace, chart=deployment.chart, values=deployment.values
    )
    if ended.status != 0:
        raise failure(ended.complaint)
    return body_of(ended.output)
