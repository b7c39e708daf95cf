"""An install or upgrade before it is done: what it would change, and what would stand against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.backends.kubernetes.namespaces import missing_namespace
from cloud_native_mcp.contract.result import Table, Text
from cloud_native_mcp.services.helm.engine.deployment import preview
from cloud_native_mcp.services.helm.releases.differences import counted, diff_blocks, differences, values_difference
from cloud_native_mcp.services.helm.releases.manifest import documents_of
from cloud_native_mcp.services.helm.releases.rehearsal import rehearse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.helm.engine.deployment import Deployment
    from cloud_native_mcp.services.helm.releases.differences import Difference
    from cloud_native_mcp.services.helm.releases.record import Body
    from cloud_native_mcp.services.helm.releases.rehearsal import Rehearsed
    from cloud_native_mcp.services.helm.service import HelmService


@dataclass(frozen=True, slots=True)
class Proposal:
    """What there is (None for nothing), what there would be, and what the cluster says to it."""

    present: Body | None
    proposed: Body
    objects: Sequence[Difference]
    refused: Sequence[Rehearsed]

    @property
    def header(self) -> str:
        """``chart web-1.2.0 to web-1.3.0; 1 added, 2 changed, 0 removed``."""
        return f"{chart_change(self.present, self.proposed)}; {counted(self.objects)}"

    def blocks(self, *, digest: Callable[[bytes], str], context: int, room: int) -> list[Block]:
        """Refusals first, then the values, then the objects."""
        found: list[Block] = []
        if self.refused:
            rows = [(one.live.label, one.problem) for one in self.refused]
            found.append(Table(("OBJECT", "WOULD FAIL"), rows, untrusted=True, source="objects"))
        titles = ("present", "proposed")
        before = self.present.config if self.present else None
        values = values_difference(before, self.proposed.config, digest=digest, context=context, titles=titles)
        if values:
            found.append(Text(values, title="values", untrusted=True, source="values"))
        room -= len(values)
        return found + diff_blocks(self.objects, digest=digest, context=context, titles=titles, room=room)

    @property
    def notes(self) -> list[str]:
        """Which hooks would run."""
        event = "upgrade" if self.present else "install"
        hooks = [
            f"{hook.kind} {hook.name} ({', '.join(hook.events or ())})"
            for hook in self.proposed.hooks or ()
            if any(one.endswith(f"-{event}") for one in hook.events or ())
        ]
        told = "previews are rendered without `lookup`, so that no chart can show what it reads from the cluster"
        return [*([f"hooks that would run: {', '.join(hooks)}"] if hooks else []), told]


async def propose(
    call: Call[HelmService], client: KubernetesClient, deployment: Deployment, present: Body | None
) -> Proposal:
    """Render, compare, and try each new or changed object on the cluster.

    Raises:
        ToolError: as `preview`.
    """
    proposed = await preview(call.service.engine, client, deployment, lookup=False)
    before = documents_of(present.manifest) if present else []
    after = documents_of(proposed.manifest)
    found = differences(before, after)
    refused: list[Rehearsed] = []
    if not await missing_namespace(client, deployment.namespace, deadline=call.deadline):
        touched = {one.label for one in found if one.kind != "removed"}
        tried = await rehearse(
            client,
            deployment.release,
            deployment.namespace,
            [one for one in after if one.label in touched],
            force=proposed.apply_method == "csa",
            deadline=call.deadline,
        )
        refused = [one for one in tried if one.problem]
    return Proposal(present, proposed, found, refused)


def chart_change(present: Body | None, proposed: Body) -> str:
    """``chart web-1.2.0 to web-1.3.0``, or the one chart when it stays."""
    now = f"{proposed.chart.metadata.name}-{proposed.chart.metadata.version}"
    before = f"{present.chart.metadata.name}-{present.chart.metadata.version}" if present else now
    return f"chart {now}" if before == now else f"chart {before} to {now}"
