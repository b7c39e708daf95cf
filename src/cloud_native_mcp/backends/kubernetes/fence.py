"""The operator's fence around one cluster: which requests may leave this server at all, whatever its account may do.

A rule takes requests by namespace, kind and verb. A request passes when some rule of ``allow`` takes it (without any,
all pass) and no rule of ``deny`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_native_mcp.backends.kubernetes.reach import Reach

DENIED: Final = "denied_by_policy"
_REVIEWS: Final = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
"""What is created there tells of rights and stores nothing."""
_KUBELETS: Final = "nodes/proxy"
_SHOWN: Final = 300


class FenceError(BackendError):
    """A request that the fence keeps back; nothing was sent.

    It is a `BackendError`, so that an answer made of several parts goes on without the part, as where rights are
    missing.
    """

    def __init__(self, text: str) -> None:
        super().__init__(DENIED, text)


@dataclass(frozen=True, slots=True)
class FenceRule:
    """Which requests a rule takes: those that fit each of its lists. ``*`` in an entry stands for any text.

    Attributes:
        namespaces: empty for everything, objects outside namespaces too; else objects in these namespaces only.
        kinds: plurals with their group, ``secrets`` or ``deployments.apps``, which take their subresources along; or
            one subresource, ``pods/exec``. Empty for all.
        verbs: of the API; empty for all.
    """

    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()

    def takes(self, reach: Reach) -> bool:
        """Whether the request fits, namespace and all."""
        if not self.takes_kind(reach):
            return False
        return not self.namespaces or (reach.namespace is not None and _any(self.namespaces, reach.namespace))

    def takes_kind(self, reach: Reach) -> bool:
        """Whether kind and verb fit."""
        if self.verbs and not _any(self.verbs, reach.verb):
            return False
        names = [*reach.kinds]
        if reach.subresource:
            names += [f"{kind}/{reach.subresource}" for kind in reach.kinds]
        return not self.kinds or any(_any(self.kinds, name) for name in names)

    def takes_all_of(self, reach: Reach) -> bool:
        """Whether the request fits in whatever namespace."""
        return self.takes_kind(reach) and (not self.namespaces or "*" in self.namespaces)

    def names(self, name: str) -> bool:
        """Whether an entry is about that subresource alone."""
        return any("/" in entry and fnmatchcase(name, entry) for entry in self.kinds)

    @property
    def words(self) -> str:
        """``get, list of pods, services in shop``."""
        verbs = f"{', '.join(self.verbs)} of " if self.verbs else ""
        kinds = ", ".join(self.kinds) or "everything"
        where = f" in {', '.join(self.namespaces)}" if self.namespaces else ""
        return f"{verbs}{kinds}{where}"


@dataclass(frozen=True, slots=True)
class _Rules:
    """One set of rules, and what it is called."""

    allow: tuple[FenceRule, ...]
    deny: tuple[FenceRule, ...]
    setting: str

    @property
    def words(self) -> str:
        allow, deny = ("; ".join(rule.words for rule in rules) for rules in (self.allow, self.deny))
        return ". ".join(f"{name} {text}" for name, text in (("only", allow), ("never", deny)) if text)

    def admits(self, reach: Reach, *, spans: bool) -> bool:
        kept_back = any(rule.takes_kind(reach) if spans else rule.takes(reach) for rule in self.deny)
        return self._allowed(reach, spans=spans) and not kept_back

    def patterns(self, reach: Reach) -> tuple[str, ...]:
        rules = [rule for rule in self.allow if rule.takes_kind(reach)]
        if not self.allow or any(not rule.namespaces for rule in rules):
            return ("*",)
        return tuple(dict.fromkeys(name for rule in rules for name in rule.namespaces))

    def _allowed(self, reach: Reach, *, spans: bool) -> bool:
        if f"{reach.plural}/{reach.subresource}" == _KUBELETS and not reach.group:
            # A kubelet tells of the pods of all namespaces, and its logs hold theirs.
            return any(rule.takes(reach) and rule.names(_KUBELETS) for rule in self.allow)
        if not self.allow or (reach.group in _REVIEWS and reach.verb == "create"):
            return True
        return any(rule.takes(reach) or (spans and rule.takes_all_of(reach)) for rule in self.allow)


class Fence:
    """The rules of one cluster: the operator's and, within them, those of the caller.

    Args:
        setting: the configuration path of the rules, for the error.
    """

    def __init__(
        self, allow: Iterable[FenceRule] = (), deny: Iterable[FenceRule] = (), *, setting: str = "fence"
    ) -> None:
        rules = _Rules(tuple(allow), tuple(deny), setting)
        self._all: tuple[_Rules, ...] = (rules,) if rules.allow or rules.deny else ()

    def within(self, other: Fence) -> Fence:
        """A fence that lets through only what both do."""
        both = Fence()
        both._all = (*other._all, *self._all)
        return both

    @property
    def open(self) -> bool:
        """Whether there is no rule at all."""
        return not self._all

    @property
    def words(self) -> str:
        """The rules in one line; empty without any."""
        return ". ".join(rules.words for rules in self._all)

    @property
    def by_namespace(self) -> bool:
        """Whether some rule tells namespaces apart."""
        return any(rule.namespaces for rules in self._all for rule in (*rules.allow, *rules.deny))

    def told(self, most: int = _SHOWN) -> str:
        """The rules in at most so many characters."""
        return _cut(self.words, most)

    def admits(self, reach: Reach, *, spans: bool) -> bool:
        """Whether the request passes.

        Args:
            spans: whether it reaches objects of all namespaces at once: then no namespace among them may be kept back.
        """
        return all(rules.admits(reach, spans=spans) for rules in self._all)

    def check(self, reach: Reach, *, spans: bool) -> None:
        """Keep back what does not pass; arguments as of `admits`.

        Raises:
            FenceError: naming the request, the setting and the rules.
        """
        for rules in self._all:
            if not rules.admits(reach, spans=spans):
                raise _refusal(f"{reach.words}{' in all namespaces' if spans else ''}", rules)

    def refusal(self, what: str) -> FenceError:
        """The error for a request that does not pass."""
        return _refusal(what, self._all[0])

    def patterns(self, reach: Reach) -> tuple[str, ...]:
        """Namespaces, or patterns of them, among which are all those in which the request may pass."""
        found = [rules.patterns(reach) for rules in self._all]
        return min(found, key=_breadth, default=("*",))

    def inside(self, reach: Reach, namespaces: Sequence[str]) -> list[str]:
        """Those of the namespaces in which the request passes, in the API's order."""
        return sorted(one for one in set(namespaces) if self.admits(reach.inside(one), spans=False))


def _refusal(what: str, rules: _Rules) -> FenceError:
    return FenceError(f"{what} is kept back by {rules.setting} ({_cut(rules.words, _SHOWN)})")


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _breadth(patterns: tuple[str, ...]) -> int:
    """None at all comes before names, and names before patterns, which have to be looked up."""
    if not patterns:
        return 0
    return 2 if stand_for_others(patterns) else 1


def stand_for_others(patterns: Iterable[str]) -> bool:
    """Whether some of the names are patterns: which names they mean has to be looked up."""
    return any(sign in pattern for pattern in patterns for sign in "*?[")


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
