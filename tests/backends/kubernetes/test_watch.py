"""Watches that end, break or are too old, on a scripted API server."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from cloud_native_mcp.backends.kubernetes.lists import ListQuery
from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.backends.kubernetes.watch import follow, follow_as
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.errors import BackendError
from tests.backends.kubernetes.clusters import aggregated, cluster, entry, group, soon
from tests.fault_server.behaviours import answer, cut_chunks, reset_in_body, stall
from tests.promises import promise

if TYPE_CHECKING:
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

PODS = Resource(group="", version="v1", kind="Pod", plural="pods", namespaced=True)
PATH = "/api/v1/namespaces/here/pods"
EXPIRED: dict[str, object] = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}


def pod(name: str, version: int) -> dict[str, object]:
    """A pod as a list or an event gives it."""
    meta = {"name": name, "namespace": "here", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta}


def listed(version: int, *names: str) -> Behaviour:
    """A list of those pods."""
    items = [pod(name, version) for name in names]
    return answer({"kind": "PodList", "metadata": {"resourceVersion": str(version)}, "items": items})


def events(*given: dict[str, object]) -> Behaviour:
    """A watch that gives those events and is then ended by the server."""
    return answer("".join(f"{json.dumps(event)}\n" for event in given))


def added(name: str, version: int) -> dict[str, object]:
    """An event."""
    return {"type": "ADDED", "object": pod(name, version)}


@dataclass
class Script:
    """What lists and watches answer, in order, and the versions that watches asked from."""

    lists: list[Behaviour]
    watches: list[Behaviour]
    asked_from: list[str] = field(default_factory=list[str])
    listed: int = 0

    def choose(self, request: Request) -> Behaviour:
        if request.path != PATH:
            return answer(aggregated(group("", v1=[entry("pods", "Pod")])))
        asked = parse_qs(request.target.partition("?")[2])
        if "watch" not in asked:
            self.listed += 1
            return self.lists[self.listed - 1]
        self.asked_from.append(asked["resourceVersion"][0])
        return self.watches[len(self.asked_from) - 1]


async def names_seen(script: Script, *, changes: int) -> tuple[list[list[str]], list[float]]:
    """The names after each of so many changes, and the pauses taken."""
    seen: list[list[str]] = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with cluster(script.choose) as (client, _):
        changing = follow(client, PODS, ListQuery("here"), deadline=soon(), pause=pause)
        async with contextlib.aclosing(changing):
            async for objects in changing:
                seen.append(sorted(as_str(dig(one, "metadata", "name")) for one in objects.values()))
                if len(seen) == changes:
                    break
    return seen, pauses


@promise("F12")
async def test_a_watch_from_too_old_a_version_is_begun_anew_with_a_list() -> None:
    script = Script([listed(5, "one"), listed(9, "one", "two")], [events(EXPIRED), events(added("three", 10))])
    seen, pauses = await names_seen(script, changes=3)
    assert seen == [["one"], ["one", "two"], ["one", "three", "two"]]
    assert script.asked_from == ["5", "9"]
    assert len(pauses) == 1
    assert min(pauses) >= 1


@promise("F12")
@pytest.mark.parametrize("broken", [events(), cut_chunks(b'{"type": "ADD'), reset_in_body(), answer(b"garbage\n")])
async def test_a_watch_that_breaks_off_is_opened_again_where_it_was_and_no_sooner_than_a_second(
    broken: Behaviour,
) -> None:
    script = Script([listed(5, "one")], [events(added("two", 6)), broken, events(added("three", 7))])
    seen, pauses = await names_seen(script, changes=3)
    assert seen == [["one"], ["one", "two"], ["one", "three", "two"]]
    assert script.asked_from == ["5", "6", "6"]
    assert script.listed == 1
    assert len(pauses) == 2
    assert min(pauses) >= 1


@promise("F12")
async def test_a_cluster_that_always_answers_expired_is_asked_once_a_second_at_most() -> None:
    script = Script([listed(5, "one")] * 4, [events(EXPIRED)] * 4)
    _, pauses = await names_seen(script, changes=4)
    assert len(pauses) == 3
    assert min(pauses) >= 1


async def test_a_watch_that_is_refused_is_an_error_and_not_tried_again() -> None:
    refusal = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "cannot watch"}
    script = Script([listed(5, "one")], [answer(refusal, status=403)])
    with pytest.raises(BackendError) as caught:
        await names_seen(script, changes=2)
    assert caught.value.code == "forbidden"
    assert script.asked_from == ["5"]


@promise("F12")
async def test_a_watch_that_falls_silent_is_opened_anew_after_its_window() -> None:
    script = Script([listed(5, "one")], [stall(), events(added("two", 6))])
    seen: list[list[str]] = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with cluster(script.choose) as (client, server):
        states = follow_as(
            client, PODS, ListQuery("here"), PartialObject, deadline=soon(), window=0.2, grace=0.2, pause=pause
        )
        async with contextlib.aclosing(states):
            async for objects in states:
                seen.append(sorted(one.metadata.name for one in objects.values()))
                if len(seen) == 2:
                    break
        windows = [parse_qs(one.target.partition("?")[2]).get("timeoutSeconds") for one in server.requests]
    assert seen == [["one"], ["one", "two"]]
    assert script.asked_from == ["5", "5"]
    assert script.listed == 1
    assert pauses == [1.0]
    assert windows[-1] == ["1"]
