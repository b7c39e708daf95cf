"""Rules ready to be asked, and the roles that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.rights import ObjectRule
from cloud_native_mcp.routing.permissions.config import BUILT_IN

if TYPE_CHECKING:
    from cloud_native_mcp.routing.catalogue import Entry
    from cloud_native_mcp.routing.permissions.config import Policy, Role
    from cloud_native_mcp.routing.permissions.config import Rule as RuleConfig

SECTION: Final = "permissions"


ANY_OBJECT: Final = ObjectRule()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Empty lists take all.

    Attributes:
        path: where it is in the configuration.
    """

    path: str
    services: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    effects: frozenset[Effect] = frozenset(Effect)
    targets: tuple[str, ...] = ()
    objects: ObjectRule = ANY_OBJECT

    def takes(self, entry: Entry, effect: Effect, target: str) -> bool:
        """Whether it is about such a call, its objects apart; ``target`` is empty for a tool without one."""
        return (
            effect in self.effects
            and _any(self.services, entry.service)
            and _any(self.tools, entry.name)
            and (not self.targets or (target != "" and _any(self.targets, target)))
        )

    @property
    def about_objects(self) -> bool:
        """Whether it tells namespaces or kinds apart."""
        return bool(self.objects.namespaces or self.objects.kinds)


@dataclass(frozen=True, slots=True)
class CompiledRole:
    """One role."""

    name: str
    allow: tuple[Rule, ...]
    deny: tuple[Rule, ...]
    audit: bool


def compiled_roles(config: Policy) -> dict[str, CompiledRole]:
    """All roles by name, the built-in ones with them."""
    return {**_BUILT_IN, **{name: _role(name, role) for name, role in config.roles.items()}}


def compiled(path: str, rule: RuleConfig) -> Rule:
    """A rule of the configuration at that path."""
    return Rule(
        path,
        rule.services,
        rule.tools,
        frozenset(rule.effects or Effect),
        rule.targets,
        ObjectRule(rule.namespaces, rule.kinds),
    )


def _role(name: str, role: Role) -> CompiledRole:
    path = f"{SECTION}.roles.{name}"
    allow, deny = (
        tuple(compiled(f"{path}.{field}[{index}]", rule) for index, rule in enumerate(rules))
        for field, rules in (("allow", role.allow), ("deny", role.deny))
    )
    return CompiledRole(name, allow, deny, role.audit)


def _built_in(name: str, role: Role) -> CompiledRole:
    return CompiledRole(name, tuple(compiled(f"built-in role {name}", rule) for rule in role.allow), (), role.audit)


_BUILT_IN: Final = {name: _built_in(name, role) for name, role in BUILT_IN.items()}
ADMIN: Final = _BUILT_IN["admin"]


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
