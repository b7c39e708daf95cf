"""Confirmation codes: whose they are, what they are for, how long they last."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import UNSET

from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.principal import LOCAL, Principal
from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.binding import Bound
from cloud_native_mcp.routing.confirmations import CONFIRM_TTL_S, PURPOSE, CallConfirmations
from cloud_native_mcp.secrets.state_key import StateKeys

OLD, NEW = StateKeys([b"o" * 32]), StateKeys([b"n" * 32, b"o" * 32])
PLAN = Plan("would delete 1 pod", [Text("web")], ["Pod/shop/web uid@7", "Pod/shop/api uid@8"], notes=["nothing stays"])
BOUND = Bound(args=None, targets=("prod",), given=frozenset(), canonical=b'{"name":"web"}')
NOW = 1_800_000_000.0


def confirmations(
    *,
    keys: StateKeys = OLD,
    caller: Principal = LOCAL,
    tool: str = "kubernetes_delete",
    bound: Bound = BOUND,
    consent: str = "",
    now: float = NOW,
) -> CallConfirmations:
    """The confirmations of a call."""
    return CallConfirmations(
        keys.derive(PURPOSE), principal=caller, tool=tool, bound=bound, consent=consent, clock=lambda: now
    )


def code(plan: Plan = PLAN) -> str:
    """The code of a plan."""
    shown = confirmations().settle(plan, UNSET)
    assert shown is not None
    return shown.confirm


def test_without_a_code_the_plan_is_shown_with_one() -> None:
    shown = confirmations().settle(PLAN, UNSET)
    assert shown is not None
    assert (shown.header, shown.blocks, shown.notes) == (PLAN.header, PLAN.blocks, PLAN.notes)
    assert shown.confirm


def test_the_code_confirms_the_plan_whatever_the_order_of_its_subjects() -> None:
    assert confirmations().settle(PLAN, code()) is None
    assert confirmations().settle(replace(PLAN, subjects=PLAN.subjects[::-1]), code()) is None


def test_what_the_person_at_the_client_agreed_to_confirms_like_a_code() -> None:
    assert confirmations(consent=code()).settle(PLAN, UNSET) is None


def test_a_node_with_the_same_key_accepts_it_also_after_a_rotation() -> None:
    assert confirmations(keys=NEW).settle(PLAN, code()) is None


@pytest.mark.parametrize(
    "other",
    [
        confirmations(caller=Principal(id="somebody", method="api_key")),
        confirmations(tool="helm_uninstall"),
        confirmations(bound=replace(BOUND, targets=("dev",))),
        confirmations(bound=replace(BOUND, canonical=b'{"name":"api"}')),
        confirmations(keys=StateKeys([b"x" * 32])),
    ],
    ids=["caller", "tool", "target", "arguments", "key"],
)
def test_a_code_of_another_call_confirms_nothing(other: CallConfirmations) -> None:
    with pytest.raises(ToolError, match="nothing was done") as refused:
        other.settle(PLAN, code())
    assert refused.value.code == "plan_changed"


def test_an_object_that_changed_since_makes_another_plan() -> None:
    with pytest.raises(ToolError) as refused:
        confirmations().settle(replace(PLAN, subjects=["Pod/shop/web uid@9", "Pod/shop/api uid@8"]), code())
    assert refused.value.code == "plan_changed"


def test_a_code_ends_after_ten_minutes() -> None:
    assert confirmations(now=NOW + CONFIRM_TTL_S - 1).settle(PLAN, code()) is None
    with pytest.raises(ToolError, match="older than 10 minutes"):
        confirmations(now=NOW + CONFIRM_TTL_S).settle(PLAN, code())


@pytest.mark.parametrize("text", ["yes", "-", "zz-00", f"{2**70:x}-00", "\u0661-00", "-1-0000", "6b49d200-" + "0" * 20])
def test_a_text_that_is_no_code_confirms_nothing(text: str) -> None:
    with pytest.raises(ToolError) as refused:
        confirmations().settle(PLAN, text)
    assert refused.value.code == "plan_changed"


def test_an_empty_code_asks_for_the_plan() -> None:
    assert confirmations().settle(PLAN, "") is not None


def test_a_longer_life_cannot_be_written_into_a_code() -> None:
    expires, _, keyed = code().partition("-")
    with pytest.raises(ToolError) as refused:
        confirmations().settle(PLAN, f"{int(expires, 16) + 9999:x}-{keyed}")
    assert refused.value.code == "plan_changed"
