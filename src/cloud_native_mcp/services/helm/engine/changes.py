"""Changing a release with Helm: locked, with its own time, told how far it is, and read back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.contract.times import format_age
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.engine.failures import failure
from cloud_native_mcp.services.helm.engine.hook_logs import hook_log

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.helm.engine.child import Ended
    from cloud_native_mcp.services.helm.releases.lookup import Release
    from cloud_native_mcp.services.helm.releases.record import Record
    from cloud_native_mcp.services.helm.service import HelmService

HOOK_SECONDS: Final = 300
"""How long Helm waits for a hook when the caller does not say how long to wait."""
ANSWER_SECONDS: Final = 5.0
"""Kept of the call's time to read back and answer."""
_LOCK_MARGIN: Final = 60.0
_TELL_EVERY: Final = 5.0


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of Helm on one release.

    Attributes:
        verb: how it is named: ``rollback``.
        arguments: of the program, the verb first.
        wait_seconds: how long Helm waits for readiness; 0 for hooks only.
        wait: the options that make it wait.
        chart: the archive that ``CHART`` among the arguments stands for.
        values: given to the program.
    """

    verb: str
    namespace: str
    release: str
    arguments: Sequence[str]
    wait_seconds: int = 0
    wait: Sequence[str] = ("--wait",)
    chart: bytes | None = None
    values: Mapping[str, object] | None = None

    @property
    def seconds(self) -> int:
        """The time Helm is given for each step it waits for."""
        return self.wait_seconds or HOOK_SECONDS

    @property
    def command(self) -> list[str]:
        """The whole argument list."""
        waits = list(self.wait) if self.wait_seconds else []
        return [*self.arguments, *waits, f"--timeout={self.seconds}s"]


async def carry_out(call: Call[HelmService], client: KubernetesClient, change: Change) -> Sequence[Record] | None:
    """Do it, and give the revisions held afterwards, oldest first; None when Helm is still at work at the call's end.

    Raises:
        ToolError: what Helm's words mean, with the state that is left; ``release_locked``, ``engine_missing``.
    """
    service = call.service
    await service.engine.program()
    work = _locked(service, client, change)
    telling = asyncio.create_task(_tell(call, change))
    try:
        ended = await service.background.follow(
            work,
            name=f"helm {change.verb} of {change.namespace}/{change.release}",
            seconds=max(1.0, call.deadline.remaining - ANSWER_SECONDS),
        )
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    if ended is None:
        return None
    held = await service.storage.history(client, change.namespace, change.release, deadline=call.deadline)
    if ended.status != 0:
        raise await _failed(call, client, change, ended, held)
    return held


def refuse_pending(release: Release, *, broken_off: Collection[str], even_broken: bool) -> None:
    """Refuse while another operation is under way; Helm itself would let some of them run into each other.

    Args:
        broken_off: uids of revisions of which it is known that no operation is under way.
        even_broken: also one that was broken off, which upgrades cannot go over.

    Raises:
        ToolError: ``release_locked``, saying since when, and how it is cleared.
    """
    newest = release.newest
    broken = newest.broken or newest.uid in broken_off
    if not newest.pending or (broken and not even_broken):
        return
    since = f"revision {newest.revision} is {newest.status} since {format_age(newest.age)}"
    if not broken:
        raise ToolError("release_locked", f"{since}: wait until it ends; helm_get shows it", kind="final")
    back = release.deployed
    way = f"helm_rollback to revision {back.revision}" if back else "helm_uninstall"
    raise ToolError("release_locked", f"{since}: that operation was broken off; {way} clears it", kind="final")


async def _locked(service: HelmService, client: KubernetesClient, change: Change) -> Ended:
    """The whole operation as it may go on without its caller."""
    seconds = 2 * change.seconds + _LOCK_MARGIN  # hooks before and after, or a rollback, have their time each
    deadline = Deadline.after(seconds)
    async with service.locks.hold(client, change.namespace, change.release, seconds=seconds, deadline=deadline):
        try:
            async with asyncio.timeout(seconds):
                return await service.engine.run(
                    client, change.command, namespace=change.namespace, chart=change.chart, values=change.values
                )
        except TimeoutError:
            raise ToolError("timeout", f"Helm did not end within {seconds:.0f} s and was ended") from None
        finally:
            client.note_change()


async def _tell(call: Call[HelmService], change: Change) -> None:
    """Tell a caller who listens that Helm is still at it."""
    passed = 0.0
    while True:
        await asyncio.sleep(_TELL_EVERY)
        passed += _TELL_EVERY
        await call.progress(passed, change.seconds, f"helm {change.verb} of {change.release}: {passed:.0f} s")


async def _failed(
    call: Call[HelmService], client: KubernetesClient, change: Change, ended: Ended, held: Sequence[Record]
) -> ToolError:
    """Helm's words, the state that is left, and what a failed hook logged last."""
    error = failure(ended.complaint)
    if held and held[-1].pending:  # Helm 4 leaves a rollback so whose hook failed
        call.service.background.broken_off.add(held[-1].uid)
    left = f"; the release is at revision {held[-1].revision} ({held[-1].status})" if held else "; no release is left"
    log = ""
    if error.code == "hook_failed":
        log = await hook_log(client, change.namespace, error.text, deadline=call.deadline)
    return ToolError(error.code, f"{error.text}{left}{log}", kind=error.kind)
