"""``cloud-native-mcp health``: asks every backend now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cloud_native_mcp.cli.keys import known_keys
from cloud_native_mcp.cli.options import ConfigOption, JsonOption, SetOption, settings_from
from cloud_native_mcp.cli.output import complain, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.app import App
    from cloud_native_mcp.contract.server import ServiceHealth


def health(config: ConfigOption = None, assignments: SetOption = None, *, json: JsonOption = False) -> None:
    """Ask every backend of the configured services. Exit code 1 when a service failed or a backend does not answer."""
    from cloud_native_mcp.cli.running import run_in_app

    settings = settings_from(config, assignments)
    services = run_in_app(settings, _ask, quiet=True)
    if json:
        import msgspec

        say_json([msgspec.to_builtins(service) for service in services])
    else:
        columns = ("SERVICE", "TARGET", "STATE", "VERSION", "LATENCY", "REASON")
        say_table(columns, [row for service in services for row in _rows(service)])
    for key in known_keys(settings):
        if key.state in {"expiring", "unusable"}:
            complain(f"API key {f'{key.id} {key.key_id}'.rstrip()} is {key.state}; `cloud-native-mcp keys list`")
    if not all(map(_good, services)):
        raise typer.Exit(1)


async def _ask(app: App) -> Sequence[ServiceHealth]:
    return await app.manager.health(probe=True)


def _good(service: ServiceHealth) -> bool:
    return service.state != "failed" and all(target.state == "reachable" for target in service.targets)


def _rows(service: ServiceHealth) -> Iterator[tuple[str, ...]]:
    if not service.targets:
        yield (service.name, "-", service.state, "-", "-", service.reason or "-")
    for target in service.targets:
        latency = f"{target.latency_ms:g} ms" if target.latency_ms is not None else "-"
        yield (service.name, target.target, target.state, target.version or "-", latency, target.error or "-")
