"""The ``permissions`` section."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read at run time by the model
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, StringConstraints, model_validator

from cloud_native_mcp.contract.configuration import Section
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Rule(Section):
    """Calls a rule is about: those that fit each of its lists. A list left out takes all; ``*`` stands for any text."""

    services: tuple[Pattern, ...] = Field(default=(), description="Services, such as `kubernetes`; all when left out.")
    tools: tuple[Pattern, ...] = Field(
        default=(), description="Tools, such as `kubernetes_scale` or `helm_*`; all when left out."
    )
    effects: tuple[Effect, ...] = Field(
        default=(), description="Effects of the call: `read`, `write`, `destroy`; all when left out."
    )
    targets: tuple[Pattern, ...] = Field(
        default=(), description="Targets; all when left out. With this list, tools that have no target do not fit."
    )
    namespaces: tuple[Pattern, ...] = Field(
        default=(),
        description="Namespaces of a cluster; everything when left out. With this list, only objects in these "
        "namespaces fit, and only calls of services that have namespaces.",
    )
    kinds: tuple[Pattern, ...] = Field(
        default=(),
        description="Kinds by plural and group, `secrets` or `deployments.apps`, with their subresources, or one "
        "subresource such as `pods/exec`; all when left out.",
    )


class Role(Section):
    """What a role allows, and what it never allows: a `deny` of any role of a caller wins over all that is allowed."""

    allow: list[Rule] = Field(default=[], description="Calls that are allowed.")
    deny: list[Rule] = Field(default=[], description="Calls that are refused, whatever other roles allow.")
    audit: bool = Field(default=False, description="Whether the audit may be read at `/api/audit/`.")


BUILT_IN: Final = {
    "viewer": Role(allow=[Rule(effects=(Effect.READ,))]),
    "operator": Role(allow=[Rule(effects=(Effect.READ, Effect.WRITE))]),
    "admin": Role(allow=[Rule()], audit=True),
}
"""Roles there are without being defined; a role of the same name takes their place."""


class Binding(Section):
    """Whom roles are given to: every caller that one of the lists names."""

    roles: tuple[str, ...] = Field(min_length=1, description="The roles.")
    principals: tuple[Pattern, ...] = Field(default=(), description="Callers by id; `*` stands for any text.")
    groups: tuple[Pattern, ...] = Field(default=(), description="Groups of callers; `*` stands for any text.")

    @model_validator(mode="after")
    def _names_somebody(self) -> Binding:
        if not self.principals and not self.groups:
            raise ValueError("name at least one of principals and groups")
        return self


class Policy(Section):
    """Who may do what."""

    default: tuple[str, ...] | None = Field(
        default=None,
        description="Roles of a caller that no binding names. `[]`: none, so such a caller sees no tool.",
    )
    roles: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")], Role] = Field(
        default={},
        description="Roles by name. `viewer` (reads), `operator` (reads and writes) and `admin` (everything, and the "
        "audit) are there without being defined.",
    )
    bindings: list[Binding] = Field(default=[], description="Who has which roles.")
    require_human: list[Rule] = Field(
        default=[],
        description="Calls that a person at the client has to agree to each time; a code that a model sends is not "
        "enough. Lists by `namespaces` and `kinds` are not looked at here.",
    )

    @model_validator(mode="after")
    def _roles_exist(self) -> Policy:
        known = (*self.roles, *BUILT_IN)
        unknown = sorted({name for name in self._named() if name not in known})
        if unknown:
            near = nearest(unknown[0], known)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"no role is called {', '.join(unknown)}; {hint}")
        return self

    def _named(self) -> Iterator[str]:
        yield from self.default or ()
        for binding in self.bindings:
            yield from binding.roles

    @property
    def enforced(self) -> bool:
        """Whether callers are told apart at all."""
        return self.default is not None or bool(self.roles or self.bindings)


class PermissionsConfig(Policy):
    """Who may do what, within the effects of the server. Without roles and bindings everybody may do all of that."""

    policy_file: Path | None = Field(
        default=None,
        description="YAML file with `default`, `roles`, `bindings` and `require_human` in place of those here. It is "
        "read again when it changed; one with a mistake is refused whole, and the rules read before stay.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> PermissionsConfig:
        if self.policy_file is not None and (self.enforced or self.require_human):
            raise ValueError("give the rules here or in policy_file, not in both")
        return self
