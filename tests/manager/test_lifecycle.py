from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cloud_native_mcp.manager import lifecycle
from cloud_native_mcp.manager.discovery import Discovered
from tests.manager.service_context import context, ledger, ledger_config, manager_of, running_ledger
from tests.samples.ledger import service as ledger_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_native_mcp.contract.service import ServiceContext


def _variant(name: str, **changes: Any) -> Discovered:
    """The ledger under another name, with parts of its spec exchanged."""
    found = ledger()
    return Discovered(replace(found.spec, name=name, **changes), found.package)


async def _starts_nothing(context: ServiceContext[object]) -> None:
    del context


async def test_a_wanted_service_runs_with_its_tools_and_ends() -> None:
    manager = manager_of({"ledger": ledger_config(targets={"main": {}, "other": {"entries": 2}})})
    await manager.start()
    running = manager.running["ledger"]
    service = running_ledger(manager)
    names = [tool.name for tool in running.tools]
    assert names[:6] == ["list", "add", "remove", "slow", "secret", "fail"]
    assert names[6:] == ["relay", "hurried", "steady", "patient"]
    assert service.targets == ("main", "other")
    assert service.probes == 0
    await manager.close()
    assert service.closed
    assert not manager.running


@pytest.mark.parametrize("values", [{}, {"enabled": False, "targets": {"main": {}}}])
async def test_a_service_that_is_not_wanted_stays_off(values: dict[str, object]) -> None:
    manager = manager_of({"ledger": ledger_config(**values)})
    await manager.start()
    assert not manager.running
    assert not manager.failed


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"start": "service:absent"}, "there is no service:absent"),
        ({"start": "service:SHOP_TOKEN"}, "cannot be called"),
        ({"start": "absent:start"}, "ModuleNotFoundError"),
        ({"start": "service:Entry"}, "TypeError"),
        ({"start": "service:starts_nothing"}, "has no targets, probe, close"),
        ({"tools": ("tools.absent",)}, "ModuleNotFoundError"),
        ({"tools": ("service",)}, "there is no service:TOOLS"),
    ],
)
async def test_a_service_declared_wrongly_fails_alone(
    changes: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_service, "starts_nothing", _starts_nothing, raising=False)
    wanted = ledger_config(targets={"main": {}})
    manager = manager_of({"ledger": wanted, "broken": wanted}, more=(_variant("broken", **changes),))
    await manager.start()
    assert list(manager.running) == ["ledger"]
    assert why in manager.failed["broken"]
    assert why in caplog.text
    await manager.close()


async def test_a_refused_start_is_told_in_one_line_without_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    manager = manager_of({"ledger": ledger_config(enabled=True, refuse_start=True)})
    await manager.start()
    (health,) = await manager.health()
    assert health.state == "failed"
    assert health.reason.startswith("ledger.refuse_start: is set")
    assert "canary" not in health.reason + caplog.text
    assert "\n" not in health.reason


async def test_a_service_whose_settings_cannot_be_imported_is_reported_as_failed() -> None:
    manager = lifecycle.Manager([ledger()], {}, context, unusable={"ledger": "ImportError: no module"})
    await manager.start()
    (health,) = await manager.health()
    assert (health.state, health.reason) == ("failed", "ImportError: no module")


async def test_a_start_that_hangs_is_given_up_and_the_others_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(context: ServiceContext[object]) -> None:
        del context
        await asyncio.Event().wait()

    monkeypatch.setattr(lifecycle, "START_SECONDS", 0.05)
    monkeypatch.setattr(ledger_service, "hang", hang, raising=False)
    wanted = ledger_config(targets={"main": {}})
    manager = manager_of({"ledger": wanted, "stuck": wanted}, more=(_variant("stuck", start="service:hang"),))
    await manager.start()
    assert list(manager.running) == ["ledger"]
    assert "not finished within" in manager.failed["stuck"]
    await manager.close()


async def test_services_end_in_reverse_order_and_one_that_fails_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = ledger_config(targets={"main": {}})
    manager = manager_of({"ledger": wanted, "second": wanted}, more=(_variant("second"),))
    await manager.start()
    ended: list[str] = []

    def ending(name: str, error: Exception | None) -> Callable[[], Any]:
        async def close() -> None:
            ended.append(name)
            if error is not None:
                raise error

        return close

    monkeypatch.setattr(manager.running["second"].service, "close", ending("second", RuntimeError("stuck")))
    monkeypatch.setattr(manager.running["ledger"].service, "close", ending("ledger", None))
    await manager.close()
    assert ended == ["second", "ledger"]


async def test_a_cancelled_start_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = asyncio.Event()

    async def hang(context: ServiceContext[object]) -> None:
        del context
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ledger_service, "start", hang)
    manager = manager_of({"ledger": ledger_config(targets={"main": {}})})
    starting = asyncio.create_task(manager.start())
    await asyncio.wait_for(reached.wait(), 5)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not manager.failed
