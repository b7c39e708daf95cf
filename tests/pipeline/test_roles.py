"""Roles, bindings and scopes: the same decision when tools are listed and when one is called."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.contract.principal import ANONYMOUS, LOCAL, Principal
from tests.pipeline.changes import CHANGES, untouched
from tests.promises import promise
from tests.server_fixtures import ALL_EFFECTS, Server, ledger_settings, started

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

Policy = dict[str, object]

CLERK = Principal(id="clerk", method="api_key", groups=("shop", "evening"))
GUEST = Principal(id="guest", method="api_key")

BY_ROLE: Policy = {
    "default": ["viewer"],
    "roles": {
        "clerk": {
            "allow": [{"services": ["ledger"], "effects": ["read", "write"], "targets": ["main"]}],
            "deny": [{"tools": ["ledger_secret"]}],
        }
    },
    "bindings": [{"roles": ["clerk"], "groups": ["shop"]}],
}


@asynccontextmanager
async def ruled(folder: Path, policy: Mapping[str, object], **books: int) -> AsyncGenerator[Server]:
    """A server that allows every effect, under a policy."""
    settings = ledger_settings(folder, effects=ALL_EFFECTS, books=books or None, permissions=policy)
    async with started(settings) as server:
        yield server


def listed(server: Server, caller: Principal) -> set[str]:
    return {str(tool["name"]) for tool in server.app.door.list_tools("aggregate", caller).tools}


async def test_a_role_lists_what_it_allows_and_nothing_else(tmp_path: Path) -> None:
    async with ruled(tmp_path, BY_ROLE) as server:
        clerk, guest = listed(server, CLERK), listed(server, GUEST)
    assert {"ledger_add", "ledger_list"} <= clerk
    assert {"ledger_remove", "ledger_secret"} & clerk == set()
    assert "ledger_secret" in guest
    assert "ledger_add" not in guest


async def test_what_a_role_does_not_allow_is_answered_as_if_it_were_not_there(tmp_path: Path) -> None:
    async with ruled(tmp_path, BY_ROLE) as server:
        absent = await server.call("ledger_nothing", principal=CLERK)
        for tool in ("ledger_secret", "ledger_remove"):
            refused = await server.call(tool, {"number": 1} if tool == "ledger_remove" else {}, principal=CLERK)
            assert refused.code == absent.code == "unknown_tool"
            assert refused.text.replace(tool, "X") == absent.text.replace("ledger_nothing", "X")
            assert (refused.record["stage"], refused.record["outcome"]) == ("resolve", "refused")
        assert untouched(server.ledger)


@promise("S1")
@pytest.mark.parametrize(("tool", "arguments"), CHANGES)
async def test_a_caller_who_may_only_read_changes_nothing_on_a_server_that_may(
    tmp_path: Path, tool: str, arguments: Policy
) -> None:
    async with ruled(tmp_path, BY_ROLE) as server:
        answer = await server.call(tool, arguments, principal=GUEST)
        assert answer.code == "unknown_tool"
        assert answer.record["outcome"] == "refused"
        assert untouched(server.ledger)


async def test_an_argument_that_raises_the_effect_is_judged_by_the_raised_one(tmp_path: Path) -> None:
    async with ruled(tmp_path, BY_ROLE) as server:
        answer = await server.call("ledger_add", {"what": "all new", "replace": True}, principal=CLERK)
        assert answer.code == "denied_by_policy"
        assert "destroy" in answer.text
        assert untouched(server.ledger)
        assert (await server.call("ledger_add", {"what": "one more"}, principal=CLERK)).code == ""


async def test_a_target_outside_the_role_is_refused_and_the_one_inside_is_named(tmp_path: Path) -> None:
    async with ruled(tmp_path, BY_ROLE, other=3, main=3) as server:
        default = await server.call("ledger_list", principal=CLERK)
        assert default.code == "denied_by_policy"
        assert "you may on main" in default.text
        assert (await server.call("ledger_list", {"target": "main"}, principal=CLERK)).code == ""
        refused = await server.call("ledger_add", {"what": "x", "target": "other"}, principal=CLERK)
        assert (refused.code, refused.record["stage"]) == ("denied_by_policy", "authorise")
        assert untouched(server.ledger)


async def test_a_denial_of_one_role_wins_over_what_another_allows(tmp_path: Path) -> None:
    policy: Policy = {
        "roles": {"no-notes": {"deny": [{"tools": ["ledger_sec*"]}]}},
        "bindings": [{"roles": ["admin"], "principals": ["clerk"]}, {"roles": ["no-notes"], "groups": ["even*"]}],
    }
    async with ruled(tmp_path, policy) as server:
        assert "ledger_secret" not in listed(server, CLERK)
        assert (await server.call("ledger_secret", principal=CLERK)).code == "unknown_tool"
        assert (await server.call("ledger_remove", {"number": 1}, principal=CLERK)).code == ""


async def test_without_a_role_a_caller_sees_no_tool(tmp_path: Path) -> None:
    async with ruled(tmp_path, {"default": []}) as server:
        for caller in (CLERK, GUEST, ANONYMOUS):
            assert listed(server, caller) == set()
            assert (await server.call("ledger_list", principal=caller)).code == "unknown_tool"
        assert "ledger_remove" in listed(server, LOCAL)


async def test_the_person_at_the_terminal_is_held_to_a_binding_that_names_it(tmp_path: Path) -> None:
    policy: Policy = {"bindings": [{"roles": ["viewer"], "principals": ["local"]}]}
    async with ruled(tmp_path, policy) as server:
        assert (await server.call("ledger_add", {"what": "x"}, principal=LOCAL)).code == "unknown_tool"


@pytest.mark.parametrize(
    ("scopes", "tools"),
    [
        (("read",), {"ledger_list"}),
        (("write",), {"ledger_list", "ledger_add"}),
        (("ledger:destroy",), {"ledger_list", "ledger_add", "ledger_remove"}),
        (("prometheus:destroy",), set[str]()),
        ((), set[str]()),
        (("admin", "READ", "*"), set[str]()),
    ],
)
async def test_scopes_narrow_what_roles_allow(tmp_path: Path, scopes: tuple[str, ...], tools: set[str]) -> None:
    caller = Principal(id="clerk", method="jwt", scopes=scopes)
    async with ruled(tmp_path, {"default": ["admin"]}) as server:
        seen = listed(server, caller) & {"ledger_list", "ledger_add", "ledger_remove"}
        assert seen == tools
        answer = await server.call("ledger_add", {"what": "x"}, principal=caller)
        assert answer.code == ("" if "ledger_add" in tools else "effect_not_allowed")


async def test_scopes_never_widen_a_role(tmp_path: Path) -> None:
    caller = Principal(id="guest", method="jwt", scopes=("destroy",))
    async with ruled(tmp_path, BY_ROLE) as server:
        assert (await server.call("ledger_remove", {"number": 1}, principal=caller)).code == "unknown_tool"
        assert untouched(server.ledger)


@promise("S15")
async def test_equal_rights_have_one_list_and_other_rights_another(tmp_path: Path) -> None:
    async with ruled(tmp_path, BY_ROLE) as server:
        door = server.app.door
        twin = Principal(id="another", method="api_key", groups=("shop",))
        clerk = door.list_tools("aggregate", CLERK)
        assert door.list_tools("aggregate", twin) is clerk
        assert door.list_tools("aggregate", GUEST).digest != clerk.digest
