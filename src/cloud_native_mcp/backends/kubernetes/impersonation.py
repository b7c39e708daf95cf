"""Which Kubernetes user a caller is, where requests are sent as the caller: by the operator's list, and never by more.

https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_native_mcp.contract.http import RequestHeaders
    from cloud_native_mcp.contract.principal import Principal

DENIED: Final = "denied_by_policy"
RESERVED: Final = "system:"
"""Users and groups of Kubernetes itself begin so, ``system:masters`` among them; nobody becomes one of those."""
MOST_GROUPS: Final = 64
UNPROVEN: Final = frozenset({"none", "local"})
"""Methods that prove nothing about who calls: a rule takes them only when it names them."""

# What passes a header unchanged: an API server would cut blanks off at the ends, and `` system:masters`` be the group.
_NAME: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of a cluster. ``system:authenticated`` is added by the API server itself."""

    user: str
    groups: tuple[str, ...] = ()

    @property
    def headers(self) -> RequestHeaders:
        """What makes the API server take a request for that user's."""
        groups: RequestHeaders = {"Impersonate-Group": self.groups} if self.groups else {}
        return {"Impersonate-User": self.user, **groups}


@dataclass(frozen=True, slots=True)
class UserRule:
    """Callers and the user they are.

    Attributes:
        principal: ids; ``*`` stands for any text.
        methods: how they must have authenticated; empty for all that prove who calls.
        user: the Kubernetes user, in which ``{id}`` stands for the caller's id.
    """

    principal: str
    user: str
    methods: tuple[str, ...] = ()

    def takes(self, principal: Principal) -> bool:
        """Whether it is about that caller."""
        proven = principal.method in self.methods if self.methods else principal.method not in UNPROVEN
        return proven and fnmatchcase(principal.id, self.principal)


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Groups of callers and the Kubernetes group they are; ``*`` and ``{group}`` as in `UserRule`."""

    group: str
    as_group: str


class Impersonation:
    """The rules of one cluster.

    Args:
        users: in order; the first that takes a caller counts.
        groups: of each group of the caller, the first that takes it counts; a group that none takes is left out.
        setting: the configuration path of the rules, for the error.
    """

    def __init__(
        self, users: Iterable[UserRule], groups: Iterable[GroupRule] = (), *, setting: str = "impersonate"
    ) -> None:
        self._users = tuple(users)
        self._groups = tuple(groups)
        self._setting = setting

    def identity_of(self, principal: Principal | None) -> Identity:
        """Who the caller is in the cluster.

        Raises:
            ToolError: ``denied_by_policy`` when no rule takes the caller, or the user may be nobody's.
        """
        if principal is None:
            raise self._denied("there is no caller, and this cluster is asked as the caller only by")
        rule = next((rule for rule in self._users if rule.takes(principal)), None)
        if rule is None:
            raise self._denied(f"caller {principal.id[:80]!a} ({principal.method}) is no user of this cluster by")
        user = rule.user.replace("{id}", principal.id)
        if not may_be(user):
            raise self._denied(f"caller {principal.id[:80]!a} would be Kubernetes user {user[:80]!a}, refused by")
        groups = dict.fromkeys(group for name in principal.groups if (group := self._group(name)))
        if len(groups) > MOST_GROUPS:
            raise self._denied(f"caller {principal.id[:80]!a} has {len(groups)} groups, more than {MOST_GROUPS}, by")
        return Identity(user, tuple(groups))

    def _group(self, name: str) -> str:
        """The Kubernetes group; empty when the caller's is none there."""
        rule = next((rule for rule in self._groups if fnmatchcase(name, rule.group)), None)
        group = rule.as_group.replace("{group}", name) if rule is not None else ""
        return group if may_be(group) else ""

    def _denied(self, text: str) -> ToolError:
        return ToolError(DENIED, f"{text} {self._setting}; nothing was sent")


def may_be(name: str) -> bool:
    """Whether requests may be sent as a user or group of that name."""
    return _NAME.fullmatch(name) is not None and not name.lower().startswith(RESERVED)
