from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.manager import health as health_module
from tests.manager.service_context import ledger_config, manager_of, running_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.server import TargetHealth
    from cloud_native_mcp.contract.service import Probe
    from cloud_native_mcp.manager.lifecycle import Manager


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def manager(clock: Clock) -> AsyncIterator[Manager]:
    manager = manager_of({"ledger": ledger_config(targets={"main": {}, "other": {}})}, clock=clock)
    await manager.start()
    yield manager
    await manager.close()


async def _targets(manager: Manager, *, probe: bool = False) -> dict[str, TargetHealth]:
    (health,) = await manager.health("ledger", probe=probe)
    return {target.target: target for target in health.targets}


async def test_nothing_is_known_before_the_first_call_and_nothing_is_asked(manager: Manager) -> None:
    targets = await _targets(manager)
    assert {target.state for target in targets.values()} == {"unknown"}
    assert running_ledger(manager).probes == 0


async def test_of_a_service_whose_requests_are_seen_only_answers_prove_a_backend_reachable(manager: Manager) -> None:
    manager.request("ledger", "main", "unreachable", 0.1)
    manager.observe("ledger", "main", BackendError("unreachable", "connection refused"))
    manager.observe("ledger", "main", None)
    assert (await _targets(manager))["main"].state == "unreachable"
    manager.request("ledger", "main", "503", 0.1)
    assert (await _targets(manager))["main"].state == "reachable"


async def test_the_summary_names_services_and_no_targets(manager: Manager) -> None:
    assert manager.summary() == {"ledger": "running"}
    manager.observe("ledger", "other", BackendError("unreachable", "connection refused"))
    assert manager.summary() == {"ledger": "unreachable"}


async def test_the_last_call_tells_whether_a_backend_is_there_and_how_long_ago(manager: Manager, clock: Clock) -> None:
    manager.observe("ledger", "main", BackendError("unreachable", "connection refused"))
    manager.observe("ledger", "other", BackendError("forbidden", "no", status=403))
    clock.now += 5
    targets = await _targets(manager)
    assert targets["main"].state == "unreachable"
    assert "connection refused" in targets["main"].error
    assert targets["main"].age_s == 5.0
    assert targets["other"].state == "reachable"
    manager.observe("ledger", "main", None)
    after = (await _targets(manager))["main"]
    assert (after.state, after.error, after.age_s) == ("reachable", "", 0.0)


async def test_one_slow_call_does_not_make_a_backend_unreachable(manager: Manager) -> None:
    manager.observe("ledger", "main", None)
    manager.observe("ledger", "main", BackendError("timeout", "not finished"))
    assert (await _targets(manager))["main"].state == "reachable"


async def test_a_probe_asks_every_target_and_lists_those_that_are_away(manager: Manager) -> None:
    running_ledger(manager).books["other"].down = True
    targets = await _targets(manager, probe=True)
    assert (targets["main"].state, targets["main"].version) == ("reachable", "1.2.3")
    assert targets["main"].latency_ms is not None
    assert (targets["other"].state, targets["other"].version) == ("unreachable", "")
    assert "connection refused" in targets["other"].error


async def test_version_and_latency_stay_those_of_the_last_good_probe(manager: Manager) -> None:
    before = (await _targets(manager, probe=True))["main"]
    running_ledger(manager).books["main"].down = True
    after = (await _targets(manager, probe=True))["main"]
    assert after.state == "unreachable"
    assert (after.version, after.latency_ms) == (before.version, before.latency_ms)


async def test_all_targets_are_probed_at_the_same_time(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    service = running_ledger(manager)
    together = asyncio.Barrier(2)
    honest = service.probe

    async def meet(target: str, deadline: Deadline) -> Probe:
        await together.wait()
        return await honest(target, deadline)

    monkeypatch.setattr(service, "probe", meet)
    targets = await _targets(manager, probe=True)
    assert {target.state for target in targets.values()} == {"reachable"}


async def test_a_probe_that_hangs_or_breaks_is_told_and_bounded(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def odd(target: str, deadline: Deadline) -> Probe:
        del deadline
        if target == "main":
            await asyncio.Event().wait()
        raise RuntimeError("token=hunter2-canary")

    monkeypatch.setattr(health_module, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(running_ledger(manager), "probe", odd)
    targets = await _targets(manager, probe=True)
    assert {target.state for target in targets.values()} == {"unreachable"}
    assert "not finished within" in targets["main"].error
    assert "canary" not in targets["other"].error


async def test_a_service_that_is_off_is_told_only_when_asked_for() -> None:
    manager = manager_of({"ledger": ledger_config()})
    await manager.start()
    assert await manager.health() == []
    (health,) = await manager.health("ledger")
    assert health.state == "disabled"
    assert await manager.health("absent") == []
