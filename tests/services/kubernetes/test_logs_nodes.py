"""Logs of nodes: services, files, folders, and kubelets that serve none of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from cloud_native_mcp.services.kubernetes.logs.reading import MOST_BYTES
from tests.contract_servers.kubelet_proxy import Kubelet, in_front, journal, refusal
from tests.promises import promise
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.test_logs import lines_of

if TYPE_CHECKING:
    from lab import LabEnv

TEXTS = [f"I1122 10:00:00.000000 812 server.go:{number}] Started" for number in range(50)] + [
    'E1122 10:00:00.000000 812 pod_workers.go:1301] "Error syncing pod, skipping" token=abcdefghijklmnop'
]
FILES = {
    "syslog.log": b"".join(b"line %d\n" % number for number in range(300)),
    "pods/shop_web_1/web/0.log": b"2026-01-01T00:00:00Z stdout F hello\n",
    "apt/a&b.log": b"one\n",
}


def kubelet(**changes: object) -> Kubelet:
    made = Kubelet(journal={"kubelet": journal("kubelet", "node-1", TEXTS), "quiet": []}, files=dict(FILES))
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def test_a_service_s_journal_is_read_by_its_name(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet()}) as (desk, server):
        answer = await desk.ask("logs", kind="node", name="node-1", container="kubelet", tail=3)
        asked = parse_qs(server.requests[-1].target.partition("?")[2])
    assert asked == {"query": ["kubelet"], "tailLines": ["3"]}
    assert [line.partition("]: ")[2] for line in lines_of(answer)][:2] == TEXTS[-3:-1]
    assert "token=***" in answer.text
    assert "3 of 3 lines shown, 3 scanned" in answer.text


async def test_a_service_s_journal_is_filtered_like_a_pod_s_log(lab: LabEnv) -> None:
    since = (datetime.now(UTC) - timedelta(minutes=9, seconds=30)).isoformat()
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet()}) as (desk, server):
        some = await desk.ask("logs", kind="node", name="node-1", container="kubelet", grep="Error syncing")
        late = await desk.ask("logs", kind="node", name="node-1", container="kubelet", since=since)
        sent = parse_qs(server.requests[-1].target.partition("?")[2])
        folded = await desk.ask("logs", kind="node", name="node-1", container="kubelet", view="patterns")
        none = await desk.ask("logs", kind="node", name="node-1", container="quiet")
    assert len(lines_of(some)) == 1
    assert "1 of 1 lines shown, 51 scanned" in some.text
    assert len(lines_of(late)) == 10
    assert datetime.fromisoformat(sent["sinceTime"][0]) <= datetime.fromisoformat(since)
    assert lines_of(folded)[0] == "COUNT\tSAMPLE"
    assert lines_of(folded)[1].startswith("50\t")
    assert "no line found in 0 scanned lines" in none.text


async def test_without_container_the_files_are_listed_and_each_can_be_read(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet()}) as (desk, server):
        files = await desk.ask("logs", kind="node", name="node-1")
        inside = await desk.ask("logs", kind="node", name="node-1", container="/var/log/pods/shop_web_1/web/")
        folder = await desk.ask("logs", kind="node", name="node-1", container="apt/")
        again = await desk.ask("logs", kind="node", name="node-1", container="pods/shop_web_1")
        file = await desk.ask("logs", kind="node", name="node-1", container="syslog.log", tail=2, since="1h")
        headers = server.requests[-1].headers
        odd = await desk.ask("logs", kind="node", name="node-1", container="apt/a&b.log")
    assert files.rows == [["apt/"], ["pods/"], ["syslog.log"]]
    assert inside.rows == [["0.log"]]
    assert folder.rows == [["a&b.log"]]
    assert again.rows == [["web/"]]
    assert lines_of(file) == ["line 298", "line 299"]
    assert headers["range"] == f"bytes=-{MOST_BYTES - 1}"
    assert "since is not applied to files" in file.text
    assert lines_of(odd) == ["one"]


async def test_the_end_of_a_large_file_is_read(lab: LabEnv) -> None:
    large = b"".join(b"row %07d %s\n" % (number, b"x" * 80) for number in range(80_000))
    assert len(large) > MOST_BYTES
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet(files={"big.log": large})}) as (desk, _):
        answer = await desk.ask("logs", kind="node", name="node-1", container="big.log", tail=1)
    assert lines_of(answer)[0].startswith("row 0079999")


async def test_a_service_that_logs_to_a_file_is_read_from_it(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet()}) as (desk, _):
        answer = await desk.ask("logs", kind="node", name="node-1", container="syslog", tail=1)
    assert lines_of(answer) == ["line 299"]


@pytest.mark.parametrize("name", ["kubelets", "syslog.lo", "apt/nothing"])
async def test_what_is_not_there_is_refused_with_what_is(lab: LabEnv, name: str) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet()}) as (desk, _):
        error = await error_of(desk.ask("logs", kind="node", name="node-1", container=name))
    assert error.code == "not_found"
    assert "there: " in error.text


async def test_a_kubelet_without_queries_says_what_can_be_read(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet(query=False)}) as (desk, _):
        error = await error_of(desk.ask("logs", kind="node", name="node-1", container="kubelet"))
        file = await desk.ask("logs", kind="node", name="node-1", container="syslog.log", tail=1)
    assert error.code == "node_logs_disabled"
    assert "enableSystemLogQuery" in error.text
    assert "syslog.log" in error.text
    assert lines_of(file) == ["line 299"]


async def test_a_kubelet_without_log_handler_is_named_so(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet(handler=False)}) as (desk, _):
        error = await error_of(desk.ask("logs", kind="node", name="node-1"))
    assert error.code == "node_logs_disabled"
    assert "enableSystemLogHandler" in error.text


async def test_an_unreachable_kubelet_is_told_from_a_missing_node(lab: LabEnv) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet(reachable=False)}) as (desk, _):
        error = await error_of(desk.ask("logs", kind="node", name="node-1", container="kubelet"))
    assert error.code == "kubelet_unreachable"
    assert "node node-1" in error.text


async def test_the_right_that_is_missing_is_told(lab: LabEnv) -> None:
    said = (
        'nodes "node-1" is forbidden: User "x" cannot get resource "nodes/proxy" in API group "" at the cluster scope'
    )
    overrides = {"/api/v1/nodes/node-1/proxy/logs/": refusal(403, "Forbidden", said)}
    async with in_front(lab.kubeconfig_admin, overrides=overrides) as (desk, _):
        error = await error_of(desk.ask("logs", kind="node", name="node-1"))
    assert error.code == "forbidden"
    assert "nodes/proxy" in error.text


@promise("B11", service="kubernetes")
@pytest.mark.parametrize("path", ["../../etc/shadow", "a/../../b", "..", "a\\b", "a\nb", "x" * 1001, "/var/log/../x"])
async def test_paths_that_climb_never_reach_the_kubelet(lab: LabEnv, path: str) -> None:
    async with in_front(lab.kubeconfig_admin, {"node-1": kubelet()}) as (desk, server):
        error = await error_of(desk.ask("logs", kind="node", name="node-1", container=path))
        assert not [request for request in server.requests if "/proxy/" in request.path]
    assert error.code == "invalid_argument"
