"""A manager over the sample ledger, with the server's real parts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.service import ServiceContext
from cloud_native_mcp.manager.discovery import discover
from cloud_native_mcp.manager.lifecycle import Manager
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.secrets.state_key import StateKeys
from tests.samples.ledger.config import LedgerConfig
from tests.samples.ledger.service import LedgerService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_native_mcp.contract.configuration import ServiceConfig
    from cloud_native_mcp.contract.http import HttpClient, HttpTarget
    from cloud_native_mcp.manager.discovery import Discovered

LEDGER = "tests.samples.ledger"


class NoNetwork:
    """The pool of services that have no backend: asking it for a client is a mistake."""

    def client(self, target: HttpTarget) -> HttpClient:
        raise AssertionError(target)


def context(name: str, config: ServiceConfig) -> ServiceContext[Any]:
    return ServiceContext(
        name=name,
        config=config,
        http=NoNetwork(),
        cache=SegmentedCache(),
        secrets=SecretStore({}),
        digest=StateKeys.random().digest("secret"),
        log=logging.getLogger(f"tests.{name}"),
    )


def ledger() -> Discovered:
    return discover(extra=[LEDGER])[-1]


def manager_of(
    configs: Mapping[str, ServiceConfig], *, more: tuple[Discovered, ...] = (), clock: Callable[[], float] | None = None
) -> Manager:
    discovered = (ledger(), *more)
    return Manager(discovered, configs, context, clock=clock) if clock else Manager(discovered, configs, context)


def ledger_config(**values: object) -> LedgerConfig:
    return LedgerConfig.model_validate(values)


def running_ledger(manager: Manager) -> LedgerService:
    service = manager.running["ledger"].service
    assert isinstance(service, LedgerService)
    return service
