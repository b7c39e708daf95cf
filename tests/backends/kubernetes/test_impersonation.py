"""Which Kubernetes user a caller is, and that nobody is one of Kubernetes itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from cloud_native_mcp.backends.kubernetes.acting_http import ActingHttp
from cloud_native_mcp.backends.kubernetes.cluster_config import ClusterConfig
from cloud_native_mcp.backends.kubernetes.impersonation import GroupRule, Identity, Impersonation, UserRule
from cloud_native_mcp.contract.principal import ANONYMOUS, LOCAL, Principal
from cloud_native_mcp.errors import ToolError
from tests.backends.kubernetes.clusters import cluster, routes, soon
from tests.fault_server.behaviours import answer
from tests.promises import promise

if TYPE_CHECKING:
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

EVERYBODY = Impersonation([UserRule("*", "{id}")], [GroupRule("*", "{group}")], setting="here")
RESERVED = [
    "system:masters",
    "system:admin",
    "system:serviceaccount:kube-system:default",
    "SYSTEM:MASTERS",
    " system:masters",
    "\tsystem:masters",
    "system:masters\r\nImpersonate-Group: ops",
    "ops\r\nImpersonate-Group: system:masters",
    "ops\x00",
    "öps",
    "x" * 300,
    "",
]


def refusal(rules: Impersonation, principal: Principal | None) -> str:
    """The text of the refusal."""
    with pytest.raises(ToolError) as caught:
        rules.identity_of(principal)
    assert caught.value.code == "denied_by_policy"
    return caught.value.text


@promise("S8")
@pytest.mark.parametrize("name", RESERVED)
def test_nobody_becomes_a_user_of_kubernetes_itself_whatever_the_credentials_say(name: str) -> None:
    assert "here; nothing was sent" in refusal(EVERYBODY, Principal(name, "jwt"))


@promise("S8")
@pytest.mark.parametrize("name", RESERVED)
def test_groups_of_kubernetes_itself_are_left_out_whatever_the_claims_say(name: str) -> None:
    assert EVERYBODY.identity_of(Principal("a", "jwt", groups=("ops", name))) == Identity("a", ("ops",))


def test_a_rule_cannot_be_completed_to_a_reserved_name() -> None:
    rules = Impersonation([UserRule("*", "sys{id}")], [GroupRule("*", "sys{group}")])
    refusal(rules, Principal("tem:admin", "jwt"))
    assert rules.identity_of(Principal("a", "jwt", groups=("tem:masters", "b"))) == Identity("sysa", ("sysb",))


def test_the_first_rule_that_takes_a_caller_counts() -> None:
    rules = Impersonation([UserRule("alice@*", "alice"), UserRule("*@example.com", "oidc:{id}")])
    assert rules.identity_of(Principal("alice@example.com", "jwt")).user == "alice"
    assert rules.identity_of(Principal("bob@example.com", "jwt")).user == "oidc:bob@example.com"
    assert "'eve' (jwt) is no user" in refusal(rules, Principal("eve", "jwt"))


def test_the_same_id_by_another_method_is_another_caller() -> None:
    rules = Impersonation([UserRule("alice", "alice", ("jwt",))])
    assert rules.identity_of(Principal("alice", "jwt")).user == "alice"
    refusal(rules, Principal("alice", "api_key"))


def test_whoever_did_not_authenticate_has_to_be_named() -> None:
    refusal(EVERYBODY, ANONYMOUS)
    refusal(EVERYBODY, LOCAL)
    refusal(EVERYBODY, None)
    named = Impersonation([UserRule("*", "someone", ("none", "local"))])
    assert named.identity_of(ANONYMOUS).user == named.identity_of(LOCAL).user == "someone"


def test_groups_are_mapped_once_each_and_the_rest_is_left_out() -> None:
    rules = Impersonation(
        [UserRule("*", "{id}")], [GroupRule("ops", "cluster-ops"), GroupRule("team-*", "mcp:{group}")]
    )
    groups = ("team-a", "ops", "staff", "team-a")
    assert rules.identity_of(Principal("a", "jwt", groups=groups)).groups == ("mcp:team-a", "cluster-ops")


def test_more_groups_than_a_request_can_carry_are_refused() -> None:
    groups = tuple(f"g{number}" for number in range(65))
    assert "65 groups" in refusal(EVERYBODY, Principal("a", "jwt", groups=groups))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"identity": "impersonate"}, "needs impersonate.users"),
        ({"impersonate": {"users": [{"principal": "*", "user": "a"}]}}, "no effect without identity"),
        ({"identity": "impersonate", "impersonate": {"users": [{"principal": "*", "user": "system:admin"}]}}, "never"),
        (
            {
                "identity": "impersonate",
                "impersonate": {
                    "users": [{"principal": "*", "user": "{id}"}],
                    "groups": [{"group": "admins", "as_group": "system:masters"}],
                },
            },
            "system:masters, are nobody's",
        ),
    ],
)
def test_rules_that_cannot_be_are_refused_at_the_start(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ClusterConfig.model_validate(settings)


async def test_a_request_cannot_say_otherwise() -> None:
    async with cluster(routes({"/version": answer({})})) as (client, server):
        http = ActingHttp(client.http, Identity("alice", ("a", "b")))
        forged = {"impersonate-user": "eve", "Impersonate-Extra-scopes": "x", "IMPERSONATE-GROUP": "system:masters"}
        await http.request("GET", "/version", deadline=soon(), headers={**forged, "Accept": "text/plain"})
        async with http.stream("GET", "/version", deadline=soon(), headers=forged):
            pass
        async with http.socket("/version", deadline=soon(), protocols=["x"], headers=forged):
            pass
    for request in server.requests:
        said = {name: value for name, value in request.headers.items() if name.startswith("impersonate")}
        assert said == {"impersonate-user": "alice", "impersonate-group": "a, b"}
    assert len(server.requests) == 3
    assert server.requests[0].headers["accept"] == "text/plain"


async def test_equal_reads_of_two_users_at_the_same_time_are_two_requests() -> None:
    def own(request: Request) -> Behaviour:
        return answer({"gitVersion": request.headers.get("impersonate-user", "server")})

    async with cluster(own) as (client, server):
        users = [client.acting_as(Identity(name)) for name in ("alice", "bob")]
        answers = await asyncio.gather(*(one.version(soon()) for one in (client, *users, *users)))
    assert [one.git_version for one in answers] == ["server", "alice", "bob", "alice", "bob"]
    assert len(server.requests) == 3


async def test_a_client_stays_the_user_it_was_made_for_and_others_are_forgotten() -> None:
    async with cluster(routes({"/version": answer({})})) as (client, server):
        alice = client.acting_as(Identity("alice"))
        assert client.acting_as(Identity("alice")) is alice
        for number in range(600):
            client.acting_as(Identity(f"u{number}"))
        assert client.acting_as(Identity("alice")) is not alice
        await alice.version(soon())
    assert server.requests[-1].headers["impersonate-user"] == "alice"
