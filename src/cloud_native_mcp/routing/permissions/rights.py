"""What callers with equal roles and scopes may do, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.rights import READING, ObjectRights, ObjectRule
from cloud_native_mcp.routing.permissions.rules import ADMIN, ANY_OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_native_mcp.contract.rights import CallRights
    from cloud_native_mcp.routing.catalogue import Entry
    from cloud_native_mcp.routing.permissions.rules import CompiledRole, Rule

NO_TARGET: Final = ""
_NOTHING: Final = ObjectRights((), (ANY_OBJECT,), "the caller's roles")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one tool, effect and target.

    Attributes:
        allowed_by: rules that allow it. denied_by: rules that refuse it, of whatever object.
        objects: which objects it may reach; None for all.
    """

    allowed_by: tuple[Rule, ...] = ()
    denied_by: tuple[Rule, ...] = ()
    objects: ObjectRights | None = None

    @property
    def allowed(self) -> bool:
        """Whether such a call is allowed at all."""
        return bool(self.allowed_by) and not self.denied_by


class Rights:
    """The rights of one set of roles, narrowed by scopes. Decisions are kept: they depend on nothing else.

    Args:
        digest: equal for equal rights.
        scopes: see `contract.principal.Principal`; None narrows nothing.
    """

    def __init__(self, roles: Sequence[CompiledRole], *, digest: str, scopes: tuple[str, ...] | None = None) -> None:
        self.roles = tuple(roles)
        self.digest = digest
        self.scopes = scopes
        self.audit = any(role.audit for role in roles)
        self._verdicts: dict[tuple[str, Effect, str], Verdict] = {}
        self._known: dict[str, bool] = {}
        self._calls: dict[tuple[str, Effect], CallRights | None] = {}

    def verdict(self, entry: Entry, effect: Effect, target: str = NO_TARGET) -> Verdict:
        """The decision of the roles; scopes apart."""
        key = (entry.name, effect, target)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = self._decide(entry, effect, target)
        return found

    def knows(self, entry: Entry) -> bool:
        """Whether some call of the tool is allowed by the roles, whatever the server and the scopes allow."""
        found = self._known.get(entry.name)
        if found is None:
            effects = [effect for effect in Effect if effect.rank >= entry.tool.effect.rank]
            possible = effects if entry.tool.effect_of is not None else effects[:1]
            found = any(
                self.verdict(entry, effect, target).allowed for effect in possible for target in _targets(entry)
            )
            self._known[entry.name] = found
        return found

    def lists(self, entry: Entry) -> bool:
        """Whether the tool, used with the effect it declares, is allowed somewhere."""
        effect = entry.tool.effect
        return self.in_scope(entry.service, effect) and any(
            self.verdict(entry, effect, target).allowed for target in _targets(entry)
        )

    def in_scope(self, service: str, effect: Effect) -> bool:
        """Whether the scopes let a call of that service have that effect."""
        if self.scopes is None:
            return True
        return any(self._scope_takes(scope, service, effect) for scope in self.scopes)

    def of_call(self, entry: Entry, effect: Effect) -> CallRights | None:
        """What such a call may reach, on whichever target; None when that is everything."""
        key = (entry.name, effect)
        if key not in self._calls:
            verdicts = [self.verdict(entry, effect, target) for target in _targets(entry)]
            free = not entry.by_namespace or all(one.allowed and one.objects is None for one in verdicts)
            self._calls[key] = None if free else _CallRights(self, entry, effect)
        return self._calls[key]

    def effects(self, effects: Iterable[Effect]) -> list[Effect]:
        """Those of the effects that some rule and some scope allow for some tool."""
        granted = {effect for role in self.roles for rule in role.allow for effect in rule.effects}
        if self.scopes is not None:
            granted &= {one for one in Effect for scope in self.scopes if one.rank <= _rank(scope)}
        return [effect for effect in effects if effect in granted]

    @staticmethod
    def _scope_takes(scope: str, service: str, effect: Effect) -> bool:
        named, _, _ = scope.rpartition(":")
        return named in ("", service) and effect.rank <= _rank(scope)

    def _decide(self, entry: Entry, effect: Effect, target: str) -> Verdict:
        allow = self._allowing(entry, effect, target)
        deny = [rule for role in self.roles for rule in role.deny if rule.takes(entry, effect, target)]
        whole = tuple(rule for rule in deny if not rule.about_objects)
        if not allow or whole:
            return Verdict(allow, whole)
        return Verdict(allow, (), self._objects(entry, effect, target, allow, deny) if entry.by_namespace else None)

    def _allowing(self, entry: Entry, effect: Effect, target: str) -> tuple[Rule, ...]:
        found = [rule for role in self.roles for rule in role.allow if rule.takes(entry, effect, target)]
        return tuple(rule for rule in found if entry.by_namespace or not rule.about_objects)

    def _objects(
        self, entry: Entry, effect: Effect, target: str, allow: Sequence[Rule], deny: Sequence[Rule]
    ) -> ObjectRights | None:
        """The objects such a call may reach. What a change looks at on its way follows the rules for reads."""
        rules, never = [rule.objects for rule in allow], [rule.objects for rule in deny]
        if effect is not Effect.READ:
            rules += [_reading(rule.objects) for rule in self._allowing(entry, Effect.READ, target)]
            denied = [rule for role in self.roles for rule in role.deny if rule.takes(entry, Effect.READ, target)]
            never += [_reading(rule.objects) for rule in denied]
        if not never and any(rule == ANY_OBJECT for rule in rules):
            return None
        names = ", ".join(role.name for role in self.roles)
        return ObjectRights(tuple(dict.fromkeys(rules)), tuple(dict.fromkeys(never)), f"the caller's roles, {names}")


def _reading(rule: ObjectRule) -> ObjectRule:
    return ObjectRule(rule.namespaces, rule.kinds, READING)


def _targets(entry: Entry) -> tuple[str, ...]:
    return entry.targets or (NO_TARGET,)


def _rank(scope: str) -> int:
    """How far a scope goes; one that names no effect allows nothing."""
    name = scope.rpartition(":")[2]
    return next((effect.rank for effect in Effect if effect == name), -1)


class _CallRights:
    """Implements `contract.rights.CallRights` for one tool and effect."""

    __slots__ = ("_effect", "_entry", "_rights", "digest")

    def __init__(self, rights: Rights, entry: Entry, effect: Effect) -> None:
        self._rights = rights
        self._entry = entry
        self._effect = effect
        self.digest = f"{rights.digest}/{entry.name}/{effect}"

    def of(self, target: str) -> ObjectRights | None:
        """The rules for that target: nothing of one that the caller may not use."""
        verdict = self._rights.verdict(self._entry, self._effect, target)
        return verdict.objects if verdict.allowed else _NOTHING


UNLIMITED: Final = Rights([ADMIN], digest="*")
"""Rights that leave everything to the server's effects."""
