"""Confirmation codes: short, keyed, expiring; bound to caller, tool, targets, arguments and the planned objects."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.result import Document, Result
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgspec import UnsetType

    from cloud_native_mcp.contract.effect import Effect
    from cloud_native_mcp.contract.principal import Principal
    from cloud_native_mcp.routing.binding import Bound

CONFIRM_TTL_S: Final = 600
PURPOSE: Final = "confirm"
_MAC_DIGITS: Final = 20
_CHANGED: Final = "confirm: what the code was given for changed, or it was given for another call; nothing was done"


class CallConfirmations:
    """Confirmations of one call.

    Args:
        keys: the ring derived for `PURPOSE`; the first makes codes, all of them are accepted.
        consent: the code of a question that the caller's client asked and the person there agreed to.
        human: whether only such a question counts: the code is then for the client alone.
        clock: seconds since 1970, the same on all nodes.
    """

    __slots__ = ("_binding", "_clock", "_consent", "_human", "_keys")

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        principal: Principal,
        tool: str,
        bound: Bound,
        consent: str = "",
        human: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._consent = consent
        self._human = human
        self._clock = clock
        parts = (principal.method, principal.id, tool, ",".join(bound.targets), "person" if human else "")
        self._binding = hashlib.sha256("\0".join(parts).encode() + b"\0" + bound.canonical).digest()

    def settle(self, plan: Plan, code: str | UnsetType) -> Result | None:
        """None when the plan is confirmed, else the answer that shows it with its code (see `Confirmations`)."""
        given = self._consent if code is UNSET else code
        if given:
            self._check(plan, given)
            return None
        fresh = self._code(self._keys[0], int(self._clock()) + CONFIRM_TTL_S, plan)
        return Result(header=plan.header, blocks=plan.blocks, notes=plan.notes, confirm=fresh, needs_person=self._human)

    def _check(self, plan: Plan, given: str) -> None:
        expires = _expiry(given)
        if not any(hmac.compare_digest(self._code(key, expires, plan), given) for key in self._keys):
            raise ToolError("plan_changed", f"{_CHANGED}; call again without confirm")
        if self._clock() >= expires:
            raise ToolError("plan_changed", "confirm: the code is older than 10 minutes; call again without confirm")

    def _code(self, key: bytes, expires: int, plan: Plan) -> str:
        subjects = "\n".join(sorted(plan.subjects)).encode()
        content = b"\0".join((expires.to_bytes(8, "big"), self._binding, subjects))
        return f"{expires:x}-{hmac.new(key, content, hashlib.sha256).hexdigest()[:_MAC_DIGITS]}"


def plan_of(tool: str, effect: Effect, targets: Sequence[str], arguments: Mapping[str, object]) -> Plan:
    """What a person is asked about a tool that shows no plan of its own: the call as it was made."""
    where = f" on {', '.join(targets)}" if targets else ""
    return Plan(f"{tool} would {effect}{where}, with these arguments", [Document(arguments)], subjects=())


def _expiry(code: str) -> int:
    """When a code ends, as it says itself; its keyed part vouches for that."""
    try:
        expires = int(code.partition("-")[0], 16)
    except ValueError:
        expires = -1
    if not 0 <= expires < 2**63 or not code.isascii():
        raise ToolError("plan_changed", f"{_CHANGED}; call again without confirm")
    return expires
