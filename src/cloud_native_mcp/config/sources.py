"""From flags, environment and file to checked settings. Flags win over the environment, it over the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from cloud_native_mcp.audit.config import AuditConfig
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.cache.config import CacheConfig
from cloud_native_mcp.config import environment, file
from cloud_native_mcp.config.checks import check
from cloud_native_mcp.config.problems import problems_of
from cloud_native_mcp.config.settings import ServerSections, Settings
from cloud_native_mcp.config.tree import dotted, overlaid
from cloud_native_mcp.contract.configuration import Section, ServiceConfig
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ConfigError, Problem, ServiceDefinitionError
from cloud_native_mcp.limits.config import RateLimitConfig
from cloud_native_mcp.manager.discovery import discover
from cloud_native_mcp.manager.isolation import ServiceFailed, isolated
from cloud_native_mcp.manager.loading import load_config_type
from cloud_native_mcp.routing.config import CallsConfig
from cloud_native_mcp.routing.permissions.config import PermissionsConfig
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.telemetry.config import LoggingConfig, TelemetryConfig
from cloud_native_mcp.transport.config import ServerConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path as FilePath

    from cloud_native_mcp.config.environment import Origins
    from cloud_native_mcp.config.schema_walk import Path
    from cloud_native_mcp.manager.discovery import Discovered

SectionT = TypeVar("SectionT", bound=Section)
FLAG = "a flag"


def load(
    config_file: FilePath | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    *,
    extra: Sequence[str] = (),
) -> Settings:
    """The settings of this start.

    Args:
        config_file: the file asked for; without it the usual places are looked at.
        overrides: values of flags as a tree (``{"server": {"port": 1}}``).
        extra: packages of further services (`manager.discovery.discover`).

    Raises:
        ConfigError: with every problem of all sources and sections at once.
    """
    gathered = _gather(config_file, environ, overrides)
    discovered = gathered.discover(extra)
    settings = gathered.settings(discovered)
    gathered.problems += environment.misspelt(environ, _setting_names(discovered))
    gathered.problems += check(settings, SecretStore(environ))
    if gathered.problems:
        raise ConfigError([gathered.with_origin(problem) for problem in gathered.problems])
    return settings


@dataclass(slots=True)
class _Gathered:
    """The values of all sources as one tree, and the problems found so far."""

    tree: dict[str, object]
    origins: Origins
    problems: list[Problem]
    file: FilePath | None
    unusable: dict[str, str] = field(default_factory=dict[str, str])

    def discover(self, extra: Sequence[str]) -> tuple[Discovered, ...]:
        """The services there are; a plugin that is not there or clashes is a problem, and the others are found."""
        plugins = self.tree.get("plugins")
        names = [name for name in plugins if isinstance(name, str)] if isinstance(plugins, list) else []  # pyright: ignore[reportUnknownVariableType]
        try:
            return discover(names, extra=extra)
        except ServiceDefinitionError as error:
            self.problems.append(Problem("plugins" if names else "services", str(error)))
            return discover(extra=extra) if names else ()

    def settings(self, discovered: Sequence[Discovered]) -> Settings:
        """Every section checked; a faulty one stands with its defaults, its problems noted."""
        own = ServerSections.model_fields
        names = [*own, *(found.spec.name for found in discovered)]
        self.problems += [_unknown_section(name, names) for name in self.tree if name not in names]
        return Settings(
            server=self._section(ServerConfig, "server"),
            auth=self._section(AuthConfig, "auth"),
            ratelimit=self._section(RateLimitConfig, "ratelimit"),
            permissions=self._section(PermissionsConfig, "permissions"),
            calls=self._section(CallsConfig, "calls"),
            cache=self._section(CacheConfig, "cache"),
            audit=self._section(AuditConfig, "audit"),
            telemetry=self._section(TelemetryConfig, "telemetry"),
            logging=self._section(LoggingConfig, "logging"),
            plugins=self._plugins(),
            services=self._services(discovered),
            unusable=self.unusable,
            discovered=tuple(discovered),
            file=self.file,
            given=frozenset(self.tree),
        )

    def with_origin(self, problem: Problem) -> Problem:
        """The problem with the flag or variable the value came from, when it was not the file."""
        for path, origin in self.origins.items():
            where = dotted(path)
            if problem.path == where or problem.path.startswith((f"{where}.", f"{where}[")):
                return Problem(problem.path, f"{problem.text} (from {origin})")
        return problem

    def _services(self, discovered: Sequence[Discovered]) -> dict[str, ServiceConfig]:
        services: dict[str, ServiceConfig] = {}
        for found in discovered:
            name = found.spec.name
            given = self.tree.get(name)
            if found.failure or _switched_off(given):
                continue
            try:
                config_type = isolated(lambda found=found: load_config_type(found))
            except ServiceFailed as failed:
                self.unusable[name] = str(failed)
                continue
            checked = self._checked(config_type, {} if given is None else given, (name,))
            if checked is not None:
                services[name] = checked
        return services

    def _section(self, model: type[SectionT], name: str) -> SectionT:
        """A section of the server, or its defaults where it is absent or faulty."""
        return self._checked(model, self.tree.get(name, {}), (name,)) or model()

    def _plugins(self) -> tuple[str, ...]:
        given = {name: value for name, value in self.tree.items() if name == "plugins"}
        checked = self._checked(ServerSections, given, ())
        return checked.plugins if checked else ()

    def _checked(self, model: type[SectionT], value: object, above: Path) -> SectionT | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.problems += problems_of(error, model, value, above=above)
            return None


def _gather(config_file: FilePath | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> _Gathered:
    path = file.find(config_file, environ)
    problems: list[Problem] = []
    tree: dict[str, object] = {}
    if path is not None:
        try:
            tree = file.read(path)
        except ConfigError as error:
            problems += error.problems
    # An empty section (`prometheus:`) reads as null and means its defaults.
    tree = {name: {} if value is None else value for name, value in tree.items()}
    from_environment, origins, found = environment.read(environ, ServerSections.model_fields)
    origins |= dict.fromkeys(_leaves(overrides), FLAG)
    tree = overlaid(overlaid(tree, from_environment), overrides)
    return _Gathered(tree, origins, [*problems, *found], path)


def _leaves(tree: Mapping[str, object], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for key, value in tree.items():
        below = as_dict(value)
        paths += _leaves(below, (*above, key)) if below else [(*above, key)]
    return paths


def _switched_off(section: object) -> bool:
    """Whether a service is switched off in so many words: then nothing of it is imported, not even its settings."""
    return as_dict(section).get("enabled") in (False, "false", "False", "FALSE", "0", "off", "no")


def _unknown_section(name: str, names: Sequence[str]) -> Problem:
    near = nearest(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
    return Problem(dotted((name,)), f"unknown section; {hint} (a service of a package must be named under plugins)")


def _setting_names(discovered: Sequence[Discovered]) -> dict[str, list[str]]:
    """The settings of each section, as far as they are known without importing a service."""
    names = {
        name: list(info.annotation.model_fields)
        for name, info in ServerSections.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section)
    }
    return names | {found.spec.name: ["enabled", "targets"] for found in discovered}
