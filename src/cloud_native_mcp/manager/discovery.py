"""Finds the services: folders of the ``services`` package, and installed packages named under ``plugins:``.

Only the `ServiceSpec` of a service is imported here.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from cloud_native_mcp import services
from cloud_native_mcp.contract import CONTRACT_VERSION
from cloud_native_mcp.contract.service import RESERVED_NAMES, ServiceSpec
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ConfigError, Problem, ServiceDefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "cloud_native_mcp.services"


@dataclass(frozen=True, slots=True)
class Discovered:
    """A service that can be started: its spec and the package its names are relative to."""

    spec: ServiceSpec
    package: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: services in list order, and those whose package cannot even be imported, with the reason."""

    services: tuple[Discovered, ...]
    failed: Mapping[str, str]

    def find(self, name: str) -> Discovered | None:
        """The service of that name, or None."""
        return next((found for found in self.services if found.spec.name == name), None)


def discover(plugins: Sequence[str] = ()) -> Discovery:
    """All built-in services, in the order of their names, then the named plugins.

    Args:
        plugins: names of entry points in the group ``cloud_native_mcp.services``.

    Raises:
        ConfigError: a plugin is not installed.
        ServiceDefinitionError: a name is used twice, is reserved, or a plugin was made for another contract.
    """
    packages = [
        f"{services.__name__}.{module.name}" for module in pkgutil.iter_modules(services.__path__) if module.ispkg
    ]
    found, failed = list[Discovered](), dict[str, str]()
    for package in sorted(packages) + _plugin_packages(plugins):
        try:
            spec = _spec(package)
        except ServiceDefinitionError:
            raise
        except Exception as error:  # a broken service must not keep the others from starting
            logger.exception("service package %s cannot be imported", package)
            failed[package.rpartition(".")[2]] = f"cannot be imported: {type(error).__name__}"
        else:
            found.append(Discovered(spec, package))
    _check_names([one.spec.name for one in found])
    return Discovery(tuple(found), failed)


def _spec(package: str) -> ServiceSpec:
    spec: object = getattr(importlib.import_module(package), "SPEC", None)
    if not isinstance(spec, ServiceSpec):
        raise ServiceDefinitionError(f"{package} has no SPEC")
    if spec.contract_version != CONTRACT_VERSION:
        raise ServiceDefinitionError(
            f"{package} was made for contract {spec.contract_version}, this server has contract {CONTRACT_VERSION}"
        )
    return spec


def _plugin_packages(plugins: Sequence[str]) -> list[str]:
    installed = {point.name: point for point in metadata.entry_points(group=ENTRY_POINT_GROUP)}
    problems: list[Problem] = []
    for number, name in enumerate(plugins):
        if name not in installed:
            near = nearest(name, list(installed)) or sorted(installed)
            problems.append(
                Problem(f"plugins.{number}", f"no installed plugin {name!r}; installed: {', '.join(near) or 'none'}")
            )
    if problems:
        raise ConfigError(problems)
    return [installed[name].module for name in plugins]


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name in RESERVED_NAMES:
            raise ServiceDefinitionError(f"{name!r} is reserved and cannot be the name of a service")
        if names.count(name) > 1:
            raise ServiceDefinitionError(f"two services are named {name!r}")
