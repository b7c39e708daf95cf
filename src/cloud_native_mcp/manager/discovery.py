"""Finds services: folders of the ``services`` package, and installed packages that the configuration names.

Only a service's ``SPEC`` is imported here. Nothing lists the services: a folder dropped in is found.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from cloud_native_mcp import services
from cloud_native_mcp.contract import CONTRACT_VERSION
from cloud_native_mcp.contract.service import RESERVED_NAMES, ServiceSpec
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ServiceDefinitionError
from cloud_native_mcp.manager.isolation import ServiceFailed, isolated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENTRY_POINTS: Final = "cloud_native_mcp.services"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


@dataclass(frozen=True, slots=True)
class Discovered:
    """A service that is there.

    Attributes:
        package: where the names in its spec are looked for.
        failure: why it cannot be used, when even its spec could not be imported; the spec then holds only its name.
    """

    spec: ServiceSpec
    package: str
    failure: str = ""


def discover(plugins: Sequence[str] = (), *, extra: Sequence[str] = ()) -> tuple[Discovered, ...]:
    """Every service, in list order: the server's own by name, then those of ``extra``, then the plugins as named.

    Args:
        plugins: entry points of the group ``cloud_native_mcp.services``, by their name or that of their distribution.
        extra: importable packages, each a service.

    Raises:
        ServiceDefinitionError: a name is taken twice, reserved or malformed; a plugin is not installed. All at once.
    """
    found = [*_own(), *(_imported(package, package.rpartition(".")[2]) for package in extra)]
    faults: list[str] = []
    for asked in plugins:
        offered = _offered(asked)
        found += [_imported(point.module, point.name) for point in offered]
        if not offered:
            faults.append(_not_installed(asked))
    found = list({service.package: service for service in found}.values())
    faults += _name_faults(found)
    if faults:
        raise ServiceDefinitionError("; ".join(faults))
    return tuple(found)


def _own() -> Iterator[Discovered]:
    for module in sorted(pkgutil.iter_modules(services.__path__), key=lambda module: module.name):
        if module.ispkg:
            yield _imported(f"{services.__name__}.{module.name}", module.name)


def _offered(asked: str) -> list[metadata.EntryPoint]:
    return [point for point in metadata.entry_points(group=ENTRY_POINTS) if asked in _names(point)]


def _names(point: metadata.EntryPoint) -> tuple[str, ...]:
    return (point.name, point.dist.name) if point.dist else (point.name,)


def _not_installed(asked: str) -> str:
    installed = sorted(point.name for point in metadata.entry_points(group=ENTRY_POINTS))
    near = nearest(asked, installed, 1)
    hint = f"did you mean {near[0]}?" if near else f"installed are: {', '.join(installed) or 'none'}"
    return f"no installed package offers the service {asked[:80]!a}; {hint}"


def _imported(package: str, name: str) -> Discovered:
    try:
        spec = isolated(lambda: _spec(package))
    except ServiceFailed as failed:
        nothing = ServiceSpec(name=name, title=name, summary="", config="", start="", tools=())
        return Discovered(nothing, package, failure=str(failed))
    return Discovered(spec, package)


def _spec(package: str) -> ServiceSpec:
    spec: object = getattr(importlib.import_module(package), "SPEC", None)
    if not isinstance(spec, ServiceSpec):
        raise ServiceDefinitionError(f"package {package} holds no SPEC of type ServiceSpec")
    if spec.contract_version != CONTRACT_VERSION:
        raise ServiceDefinitionError(
            f"made for contract version {spec.contract_version}, and this server's is {CONTRACT_VERSION}"
        )
    return spec


def _name_faults(found: Sequence[Discovered]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for service in found:
        name = service.spec.name
        if name in RESERVED_NAMES:
            yield f"{service.package}: the name {name} is reserved for the server itself"
        elif _NAME.fullmatch(name) is None:
            yield f"{service.package}: {name[:80]!a} is no name; use lower case letters, digits and _, at most 30"
        elif (owner := owners.setdefault(name, service.package)) != service.package:
            yield f"{service.package}: the name {name} is taken by {owner}"
