"""Logs that stall, break off, or are too large, and the refusals of kubelets: an API server in front of the lab's."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from cloud_native_mcp.services.kubernetes.logs.reading import MOST_BYTES
from lab import scene
from tests.contract_servers.kubelet_proxy import in_front, log_that_is_cut, log_that_stalls, refusal
from tests.fault_server.behaviours import answer
from tests.promises import promise
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.test_logs import lines_of

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Connection, Request

LOG = f"/api/v1/namespaces/{scene.SHOP}/pods/toolbox/log"


def text(body: str | bytes) -> Behaviour:
    return answer(body, kind="text/plain")


@promise("F26")
async def test_a_stalled_stream_gives_what_came_before_the_deadline(lab: LabEnv) -> None:
    closed = asyncio.Event()
    stalls = {LOG: log_that_stalls("one", "two", closed=closed)}
    async with in_front(lab.kubeconfig_admin, overrides=stalls) as (desk, _):
        answered = await dataclasses.replace(desk, within=1.5).ask("logs", name="toolbox", namespace=scene.SHOP)
        assert lines_of(answered) == ["one", "two"]
        assert "partial: toolbox/toolbox: cut: " in answered.text
        await asyncio.wait_for(closed.wait(), 5)


@promise("F26")
async def test_a_broken_stream_gives_what_came(lab: LabEnv) -> None:
    cut = {LOG: log_that_is_cut("one", "two")}
    async with in_front(lab.kubeconfig_admin, overrides=cut) as (desk, _):
        answered = await desk.ask("logs", name="toolbox", namespace=scene.SHOP)
    assert lines_of(answered) == ["one", "two"]
    assert "cut: " in answered.text
    assert "what came is shown" in answered.text


async def test_a_log_above_the_limit_is_asked_for_again_with_fewer_lines(lab: LabEnv) -> None:
    lines = [f"2026-01-01T00:00:00Z {number:05} {'x' * 2000}" for number in range(5000)]

    async def give(connection: Connection, request: Request) -> None:
        asked = int(parse_qs(request.target.partition("?")[2])["tailLines"][0])
        await text("\n".join([*lines[-asked:], ""]))(connection, request)

    async with in_front(lab.kubeconfig_admin, overrides={LOG: give}) as (desk, server):
        answered = await desk.ask("logs", name="toolbox", namespace=scene.SHOP, tail=5000)
        asked = [request for request in server.requests if request.path == LOG]
    assert len(asked) == 2
    assert lines_of(answered)[-1].startswith("04999 xxx")
    scanned = int(answered.rows[0][7])
    assert 0.8 * MOST_BYTES < scanned * 2026 <= MOST_BYTES


async def test_a_log_of_one_endless_line_is_given_up_and_told(lab: LabEnv) -> None:
    endless = {LOG: text(b"2026-01-01T00:00:00Z " + b"x" * (MOST_BYTES + 1_000_000))}
    async with in_front(lab.kubeconfig_admin, overrides=endless) as (desk, server):
        answered = await desk.ask("logs", name="toolbox", namespace=scene.SHOP)
        assert len([request for request in server.requests if request.path == LOG]) <= 3
    assert "very long lines" in answered.text
    assert len(answered.text) < 24_000


async def test_long_lines_are_cut_and_equal_neighbours_are_counted(lab: LabEnv) -> None:
    body = "2026-01-01T00:00:00Z same\n" * 4 + "2026-01-01T00:00:01Z " + "y" * 3000 + "\n"
    async with in_front(lab.kubeconfig_admin, overrides={LOG: text(body)}) as (desk, _):
        answered = await desk.ask("logs", name="toolbox", namespace=scene.SHOP)
    assert lines_of(answered) == ["same (x4)", "y" * 1000 + "… (+2000 bytes)"]
    assert answered.rows[0][5] == "5"


@promise("S4", service="kubernetes")
async def test_a_credential_is_masked_before_its_line_is_cut(lab: LabEnv) -> None:
    body = "2026-01-01T00:00:00Z " + "z" * 985 + " password=abcdefghijklmnop\n"
    async with in_front(lab.kubeconfig_admin, overrides={LOG: text(body)}) as (desk, _):
        answered = await desk.ask("logs", name="toolbox", namespace=scene.SHOP)
    assert "password=***" in answered.text
    assert "abc" not in answered.text


@promise("S4", service="kubernetes")
async def test_a_private_key_is_masked_over_lines_however_they_are_chosen(lab: LabEnv) -> None:
    rows = [
        "start",
        "-----BEGIN RSA PRIVATE KEY-----",
        *(["Kx7+" * 16] * 3),
        "Zm9v",
        "-----END RSA PRIVATE KEY-----",
        "end",
    ]
    whole = "".join(f"2026-01-01T00:00:0{number}Z {row}\n" for number, row in enumerate(rows))
    for body in (whole, whole.partition("KEY-----\n")[2]):
        async with in_front(lab.kubeconfig_admin, overrides={LOG: text(body)}) as (desk, _):
            for extra in ({}, {"grep": "!end"}, {"grep": "Kx7|Zm9v"}, {"view": "patterns"}):
                answered = await desk.ask("logs", name="toolbox", namespace=scene.SHOP, **extra)
                assert "Kx7" not in answered.text.partition("\n")[2]
                assert "Zm9v" not in answered.text.partition("\n")[2]


async def test_an_unreachable_kubelet_is_named_with_its_node(lab: LabEnv) -> None:
    said = 'Get "https://10.9.9.9:10250/containerLogs/shop/toolbox/toolbox": dial tcp 10.9.9.9:10250: i/o timeout'
    async with in_front(lab.kubeconfig_admin, overrides={LOG: refusal(500, "InternalError", said)}) as (desk, _):
        error = await error_of(desk.ask("logs", name="toolbox", namespace=scene.SHOP))
    assert error.code == "kubelet_unreachable"
    assert "node node-2" in error.text


async def test_a_kubelet_s_own_refusals_have_the_codes_of_the_tool(lab: LabEnv) -> None:
    waiting = 'container "toolbox" in pod "toolbox" is waiting to start: ContainerCreating'
    gone = 'previous terminated container "toolbox" in pod "toolbox" not found'
    for said, code in ((waiting, "container_waiting"), (gone, "no_previous")):
        async with in_front(lab.kubeconfig_admin, overrides={LOG: refusal(400, "BadRequest", said)}) as (desk, _):
            error = await error_of(desk.ask("logs", name="toolbox", namespace=scene.SHOP))
        assert error.code == code
