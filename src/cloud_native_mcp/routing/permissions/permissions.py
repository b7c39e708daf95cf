"""The decision: which roles a caller has, and whether they allow a call."""

from __future__ import annotations

import hashlib
import logging
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.permissions.policy_file import PolicyFile
from cloud_native_mcp.routing.permissions.rights import NO_TARGET, Rights
from cloud_native_mcp.routing.permissions.rules import SECTION, compiled, compiled_roles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.routing.catalogue import Catalogue, Entry
    from cloud_native_mcp.routing.permissions.config import Binding, PermissionsConfig, Policy

    _Caller = tuple[str, str, tuple[str, ...], tuple[str, ...] | None]

logger = logging.getLogger(__name__)

MOST_CALLERS: Final = 4_096
"""Callers whose rights are kept; beyond that all are worked out anew."""


class Permissions:
    """What the operator allows whom.

    Without roles and bindings every caller may do what the server's effects and its own scopes allow.

    Args:
        clock: monotonic seconds.

    Raises:
        ConfigError: the policy file cannot be used.
    """

    def __init__(self, config: PermissionsConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = PolicyFile(config.policy_file, clock=clock) if config.policy_file is not None else None
        self._take_up(self._file.policy if self._file is not None else config)

    def rights_of(self, principal: Principal) -> Rights:
        """What a caller may do; the same object for equal rights, until the rules change."""
        if self._file is not None and self._file.refresh():
            self._take_up(self._file.policy)
        caller = (principal.id, principal.method, principal.groups, principal.scopes)
        found = self._callers.get(caller)
        if found is None:
            if len(self._callers) >= MOST_CALLERS:
                self._callers.clear()
            found = self._callers[caller] = self._rights(self.roles_of(principal), principal.scopes)
        return found

    def roles_of(self, principal: Principal) -> tuple[str, ...]:
        """Names of the roles a caller has."""
        if not self._enforced:
            return ("admin",)
        bound = [role for binding in self._bindings if _binds(binding, principal) for role in binding.roles]
        if bound:
            return tuple(dict.fromkeys(bound))
        # The person at the terminal could as well change the configuration.
        return ("admin",) if principal.method == "local" else self._default

    def may_read_audit(self, principal: Principal) -> bool:
        """Whether a caller may read the audit: by a role that says so, for every caller sees what others did."""
        if not self._enforced and principal.method != "local":
            return False
        return self.rights_of(principal).audit

    def requires_human(self, entry: Entry, effect: Effect, targets: Sequence[str]) -> bool:
        """Whether a person has to agree to such a call."""
        if not self._human:
            return False
        return any(rule.takes(entry, effect, target) for rule in self._human for target in targets or (NO_TARGET,))

    def may_require_human(self, entry: Entry) -> bool:
        """Whether a person has to agree to some calls of the tool."""
        return any(self.requires_human(entry, effect, entry.targets) for effect in Effect)

    def warn_of_names(self, catalogue: Catalogue) -> None:
        """Tell in the log of rules about services, tools or targets that are not there: a slip of the pen, perhaps."""
        entries = list(catalogue)
        there = {
            "services": {entry.service for entry in entries},
            "tools": {entry.name for entry in entries},
            "targets": {target for entry in entries for target in entry.targets},
        }
        for rule in (*(r for role in self._roles.values() for r in (*role.allow, *role.deny)), *self._human):
            for field, patterns in (("services", rule.services), ("tools", rule.tools), ("targets", rule.targets)):
                for pattern in patterns:
                    if not any(fnmatchcase(name, pattern) for name in there[field]):
                        logger.warning("%s.%s: nothing is called %s here", rule.path, field, pattern)

    def _take_up(self, policy: Policy) -> None:
        self._enforced = policy.enforced
        self._roles = compiled_roles(policy)
        self._bindings = policy.bindings
        self._default = policy.default or ()
        self._human = [compiled(f"{SECTION}.require_human[{i}]", rule) for i, rule in enumerate(policy.require_human)]
        self._callers: dict[_Caller, Rights] = {}
        self._by_digest: dict[str, Rights] = {}

    def _rights(self, names: tuple[str, ...], scopes: tuple[str, ...] | None) -> Rights:
        roles = [self._roles[name] for name in names]
        digest = hashlib.sha256(repr((roles, scopes)).encode()).hexdigest()[:16]
        found = self._by_digest.get(digest)
        if found is None:
            found = self._by_digest[digest] = Rights(roles, digest=digest, scopes=scopes)
        return found


def authorise(
    rights: Rights, entry: Entry, effect: Effect, targets: tuple[str, ...], allowed: frozenset[Effect]
) -> tuple[str, ...]:
    """The targets a call may ask: all that were named, or of several those that the caller may use.

    Args:
        allowed: effects of the server.

    Raises:
        ToolError: ``effect_not_allowed``, ``denied_by_policy``.
    """
    if effect not in allowed:
        raise ToolError(
            "effect_not_allowed", f"{entry.name} would {effect} and this server allows only: {effect_words(allowed)}"
        )
    if not rights.in_scope(entry.service, effect):
        scopes = ", ".join(rights.scopes or ()) or "none"
        raise ToolError("effect_not_allowed", f"{entry.name} would {effect} and your credential's scopes are: {scopes}")
    may = tuple(target for target in targets or (NO_TARGET,) if rights.verdict(entry, effect, target).allowed)
    if not may:
        raise ToolError("denied_by_policy", _denied(rights, entry, effect, targets))
    return may if targets else ()


def _denied(rights: Rights, entry: Entry, effect: Effect, targets: Sequence[str]) -> str:
    others = [one for one in entry.targets if one not in targets and rights.verdict(entry, effect, one).allowed]
    where = f" on {', '.join(targets)}" if targets else ""
    hint = f"; you may on {', '.join(others)}: name it as target" if others else ""
    return f"your roles do not let {entry.name} {effect}{where}{hint}"


def _binds(binding: Binding, principal: Principal) -> bool:
    if any(fnmatchcase(principal.id, pattern) for pattern in binding.principals):
        return True
    return any(fnmatchcase(group, pattern) for group in principal.groups for pattern in binding.groups)


def effect_words(effects: Iterable[Effect]) -> str:
    """Effects in words, the least first."""
    return ", ".join(effect for effect in Effect if effect in effects)
