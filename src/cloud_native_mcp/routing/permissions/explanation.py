"""Why a call would be allowed or refused, rule by rule: the decision itself, told in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.binding import bind, effect_of
from cloud_native_mcp.routing.permissions.permissions import authorise, effect_words
from cloud_native_mcp.routing.request import AGGREGATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.contract.effect import Effect
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.contract.rights import ObjectRights, ObjectRule
    from cloud_native_mcp.routing.catalogue import Catalogue, Entry
    from cloud_native_mcp.routing.permissions.permissions import Permissions
    from cloud_native_mcp.routing.permissions.rights import Rights
    from cloud_native_mcp.routing.permissions.rules import Rule


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to "may they, and why".

    Attributes:
        code: of the refusal; empty when it is allowed.
        reasons: one line each, in the order in which things are looked at.
    """

    allowed: bool
    code: str
    reasons: Sequence[str]


def explain(
    permissions: Permissions, catalogue: Catalogue, principal: Principal, tool: str, arguments: Mapping[str, object]
) -> Explanation:
    """What would become of a call, as far as it can be known without asking a backend."""
    rights = permissions.rights_of(principal)
    reasons = [f"roles of {principal.id}: {', '.join(permissions.roles_of(principal)) or 'none'}"]
    entry = catalogue.find(AGGREGATE, tool)
    if entry is None:
        return Explanation(allowed=False, code="unknown_tool", reasons=[*reasons, f"there is no tool {tool}"])
    if not rights.knows(entry):
        reasons += [*_rules(rights, entry, entry.tool.effect, entry.targets), f"no rule allows any call of {tool}"]
        return Explanation(allowed=False, code="unknown_tool", reasons=reasons)
    try:
        bound = bind(entry, arguments)
    except ToolError as error:
        return Explanation(allowed=False, code=error.code, reasons=[*reasons, error.text])
    effect = effect_of(entry, bound.args)
    reasons += _given(rights, entry, effect, catalogue.effects)
    reasons += _rules(rights, entry, effect, bound.targets)
    try:
        targets = authorise(rights, entry, effect, bound.targets, catalogue.effects)
    except ToolError as error:
        return Explanation(allowed=False, code=error.code, reasons=[*reasons, error.text])
    for target in targets:
        objects = rights.verdict(entry, effect, target).objects
        reasons += [f"objects on {target}: {_objects(objects)}"] if objects is not None else []
    if permissions.requires_human(entry, effect, targets):
        reasons.append("a person at the client has to agree (permissions.require_human)")
    return Explanation(allowed=True, code="", reasons=reasons)


def _given(rights: Rights, entry: Entry, effect: Effect, allowed: frozenset[Effect]) -> Iterator[str]:
    """What stands before the roles."""
    yield f"effect of this call: {effect}; the server allows: {effect_words(allowed)} (server.effects)"
    if rights.scopes is not None:
        scopes = ", ".join(rights.scopes) or "none"
        yield f"scopes: {scopes}; {'in' if rights.in_scope(entry.service, effect) else 'not in'} scope"


def _rules(rights: Rights, entry: Entry, effect: Effect, targets: Sequence[str]) -> Iterator[str]:
    """Each rule that has a say, by its place in the configuration."""
    for target in targets or ("",):
        where = f" on {target}" if target else ""
        verdict = rights.verdict(entry, effect, target)
        yield from (f"allowed{where} by {_told(rule)}" for rule in verdict.allowed_by)
        yield from (f"denied{where} by {_told(rule)}" for rule in verdict.denied_by)


def _told(rule: Rule) -> str:
    return f"{rule.path} ({_rule_words(rule.objects)})" if rule.about_objects else rule.path


def _objects(objects: ObjectRights) -> str:
    parts = [f"only {'; or '.join(_rule_words(rule) for rule in objects.allow)}"]
    if objects.deny:
        parts.append(f"never {'; nor '.join(_rule_words(rule) for rule in objects.deny)}")
    return ", ".join(parts)


def _rule_words(rule: ObjectRule) -> str:
    kinds = ", ".join(rule.kinds) or "everything"
    where = f" in {', '.join(rule.namespaces)}" if rule.namespaces else ""
    verbs = f" (to {', '.join(rule.verbs)})" if rule.verbs else ""
    return f"{kinds}{where}{verbs}"
