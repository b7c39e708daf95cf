"""kubernetes_logs on the lab's cluster."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cloud_native_mcp.contract.result import Text
from lab import CANARY, scene
from tests.promises import promise
from tests.services.kubernetes.clusters import error_of
from tests.services.kubernetes.kubectl import kubectl, kubectl_json

if TYPE_CHECKING:
    from lab import LabEnv
    from tests.calls import Answer, Desk

VIEWS = ("lines", "errors", "patterns")


def lines_of(answer: Answer) -> list[str]:
    """The lines in the last envelope of an answer."""
    inside = answer.text.rpartition("<untrusted")[2].partition(">\n")[2].partition("\n</untrusted>")[0]
    return inside.splitlines()


async def pods_of(lab: LabEnv, role: scene.Role) -> list[dict[str, Any]]:
    """The pods of a workload of the scene, by its label."""
    return list((await kubectl_json(lab, "get", "pods", "-n", role.namespace, "-l", f"app={role.name}"))["items"])


async def first_pod(lab: LabEnv, role: scene.Role) -> str:
    return str((await pods_of(lab, role))[0]["metadata"]["name"])


async def test_the_newest_lines_of_a_pod_are_those_of_kubectl(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.NEAR_LIMIT)
    answer = await cluster.ask("logs", name=pod, namespace=scene.SHOP, tail=7)
    expected = await kubectl(lab, "logs", "-n", scene.SHOP, pod, "--tail=7")
    assert lines_of(answer) == expected.splitlines()


async def test_times_are_shown_when_asked_for_and_not_otherwise(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.NEAR_LIMIT)
    plain = await cluster.ask("logs", name=pod, namespace=scene.SHOP, tail=3)
    timed = await cluster.ask("logs", name=pod, namespace=scene.SHOP, tail=3, timestamps=True)
    assert [line.partition(" ")[2] for line in lines_of(timed)] == lines_of(plain)
    expected = await kubectl(lab, "logs", "-n", scene.SHOP, pod, "--tail=3", "--timestamps")
    stamps = [datetime.fromisoformat(line.partition(" ")[0]) for line in expected.splitlines()]
    shown = [datetime.fromisoformat(line.partition(" ")[0]) for line in lines_of(timed)]
    assert all(abs(one - other) < timedelta(milliseconds=1) for one, other in zip(shown, stamps, strict=True))


async def test_a_row_tells_the_container_s_restarts_state_and_last_exit(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.CRASH_LOOP)
    answer = await cluster.ask("logs", kind="deploy", name=scene.CRASH_LOOP.name, namespace=scene.PAYMENTS)
    row = answer.rows[0]
    assert row[:4] == [pod, "worker", str(scene.CRASH_RESTARTS), "waiting CrashLoopBackOff"]
    assert row[4].startswith(f"Error exit {scene.CRASH_EXIT_CODE}")
    assert row[5:] == ["10", "10", "10"]


async def test_the_log_before_the_last_start_differs_from_the_present_one(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.CRASH_LOOP)
    now = await cluster.ask("logs", name=pod, namespace=scene.PAYMENTS)
    before = await cluster.ask("logs", name=pod, namespace=scene.PAYMENTS, previous=True)
    expected = await kubectl(lab, "logs", "-n", scene.PAYMENTS, pod, "--previous")
    assert lines_of(before) == expected.splitlines()
    assert lines_of(before) != lines_of(now)


async def test_a_container_that_was_never_restarted_has_no_previous_log(cluster: Desk) -> None:
    error = await error_of(cluster.ask("logs", name="toolbox", namespace=scene.SHOP, previous=True))
    assert error.code == "no_previous"
    assert "toolbox" in error.text


@pytest.mark.parametrize(
    ("role", "reason"),
    [
        (scene.IMAGE_PULL, "ImagePullBackOff"),
        (scene.CONFIG_ERROR, "CreateContainerConfigError"),
        (scene.NO_MEMORY, "not scheduled: 0/5 nodes are available"),
    ],
)
async def test_a_container_that_has_not_started_is_refused_with_its_reason(
    cluster: Desk, role: scene.Role, reason: str
) -> None:
    error = await error_of(cluster.ask("logs", kind="deploy", name=role.name, namespace=role.namespace))
    assert error.code == "container_waiting"
    assert reason in error.text


async def test_pods_without_a_log_are_named_while_the_others_are_read(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name=scene.STUCK_ROLLOUT.name, namespace=scene.PAYMENTS, tail=2)
    assert len(answer.rows) == 3
    assert [line for line in answer.text.splitlines() if "container_waiting: " in line and line.startswith("partial: ")]


async def test_pods_of_a_workload_are_merged_by_time_under_their_names(lab: LabEnv, cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name="web", namespace=scene.SHOP, tail=20, timestamps=True)
    pods = {str(pod["metadata"]["name"]) for pod in await pods_of(lab, scene.HEALTHY)}
    lines = [re.fullmatch(r"(\S+) (\S+)/web: (.*)", line) for line in lines_of(answer)]
    assert all(lines)
    assert len(lines) == 20 * len(pods)
    stamps = [datetime.fromisoformat(line[1]) for line in lines if line]
    assert stamps == sorted(stamps)
    for pod in pods:
        expected = await kubectl(lab, "logs", "-n", scene.SHOP, pod, "--tail=20")
        assert [line[3] for line in lines if line and line[2] == pod] == expected.splitlines()


async def test_a_selector_reads_pods_of_all_namespaces_or_of_one(cluster: Desk) -> None:
    everywhere = await cluster.ask("logs", label_selector="app in (web,frontdoor)", tail=1)
    assert {row[0].partition("/")[0] for row in everywhere.rows} == {scene.SHOP, scene.PAYMENTS}
    here = await cluster.ask("logs", label_selector="app in (web,frontdoor)", namespace=scene.SHOP, tail=1)
    assert len(here.rows) == 3
    nowhere = await cluster.ask("logs", label_selector="app=none", namespace="shopp")
    assert "no pod matches" in nowhere.text
    assert "near: shop" in nowhere.text


async def test_the_annotation_names_the_default_container_and_the_others_are_told(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name=scene.MULTI_CONTAINER.name, namespace=scene.SHOP, tail=1)
    assert {row[1] for row in answer.rows} == {"api"}
    assert "other containers: migrate, proxy" in answer.text
    every = await cluster.ask(
        "logs", kind="deploy", name=scene.MULTI_CONTAINER.name, namespace=scene.SHOP, tail=1, container="*"
    )
    assert {row[1] for row in every.rows} == {"api", "proxy", "migrate"}


async def test_an_unknown_container_is_refused_with_near_names(cluster: Desk) -> None:
    call = cluster.ask("logs", kind="deploy", name="api", namespace=scene.SHOP, container="prox")
    error = await error_of(call)
    assert error.code == "not_found"
    assert "containers: proxy" in error.text


async def test_kinds_without_selector_are_followed_down_to_their_pods(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="cronjob", name=scene.CRON_JOB.name, namespace=scene.BATCH, tail=2)
    assert answer.rows[0][0].startswith(scene.FINISHED_JOB.name)
    assert answer.rows[0][3].startswith("terminated Completed exit 0")


async def test_a_workload_without_pods_says_so(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name=scene.OVER_QUOTA.name, namespace=scene.BATCH)
    assert "no pods now" in answer.text


async def test_grep_looks_further_back_than_the_lines_it_shows(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.NEAR_LIMIT)
    everything = (await kubectl(lab, "logs", "-n", scene.SHOP, pod)).splitlines()
    wanted = [line for line in everything if re.search(r"path=/cart .*status=5\d\d", line)]
    answer = await cluster.ask("logs", name=pod, namespace=scene.SHOP, grep=r"path=/cart .*status=5\d\d", tail=5)
    assert lines_of(answer) == wanted[-5:]
    assert answer.rows[0][5:] == ["5", str(len(wanted)), str(scene.SEARCH_LINES)]
    others = await cluster.ask("logs", name=pod, namespace=scene.SHOP, grep="!INFO", tail=5)
    assert lines_of(others) == [line for line in everything if "INFO" not in line][-5:]


async def test_since_is_applied_by_the_cluster(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.NEAR_LIMIT)
    stamped = (await kubectl(lab, "logs", "-n", scene.SHOP, pod, "--timestamps", "--tail=4")).splitlines()
    start = datetime.fromisoformat(stamped[1].partition(" ")[0]).replace(microsecond=0) + timedelta(seconds=1)
    later = [s for s in stamped if datetime.fromisoformat(s.partition(" ")[0]) >= start]
    answer = await cluster.ask("logs", name=pod, namespace=scene.SHOP, since=start.isoformat(), timestamps=True)
    assert len(lines_of(answer)) == len(later)


async def test_errors_are_shown_with_their_stack_traces(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name="worker", namespace=scene.PAYMENTS, view="errors")
    lines = lines_of(answer)
    assert lines[0].startswith("ERROR job")
    assert "Traceback (most recent call last):" in lines
    assert "    charge(order)" in lines
    assert lines[-1].startswith("FATAL worker stops")
    assert not any(line.startswith("INFO") for line in lines)
    some = await cluster.ask(
        "logs", kind="deploy", name="worker", namespace=scene.PAYMENTS, view="errors", grep="charge.py"
    )
    assert lines_of(some) == lines[:-1]


async def test_patterns_count_every_line_once(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name="search", namespace=scene.SHOP, view="patterns")
    lines = [line.split("\t") for line in lines_of(answer)]
    assert lines[0] == ["COUNT", "FIRST", "LAST", "SAMPLE"]
    counts = [int(line[0]) for line in lines[1:]]
    assert sum(counts) == scene.SEARCH_LINES
    assert counts == sorted(counts, reverse=True)
    assert len(counts) < 40
    assert all(datetime.fromisoformat(line[1]) <= datetime.fromisoformat(line[2]) for line in lines[1:])


async def test_what_is_left_out_is_counted_and_its_first_error_kept(lab: LabEnv, cluster: Desk) -> None:
    pod = await first_pod(lab, scene.NEAR_LIMIT)
    answer = await cluster.ask("logs", name=pod, namespace=scene.SHOP, tail=5000)
    assert len(answer.text.encode()) <= 128_000
    shown = len(lines_of(answer))
    assert f"… {5000 - shown} older lines left out" in answer.text
    everything = (await kubectl(lab, "logs", "-n", scene.SHOP, pod, "--tail=5000")).splitlines()
    assert lines_of(answer) == everything[-shown:]
    texts = [block for block in answer.result.blocks if isinstance(block, Text)]
    assert texts[0].text == next(line for line in everything if line.startswith("ERROR"))


async def test_the_usual_answer_stays_within_its_budget(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="daemonset", name="agent", namespace=scene.PLATFORM)
    assert len(answer.text.encode()) <= 24_000
    assert "older lines left out" in answer.text


@promise("S4", service="kubernetes")
@pytest.mark.parametrize("view", VIEWS)
async def test_credentials_in_logs_are_masked(cluster: Desk, view: str) -> None:
    for extra in ({}, {"grep": "password|token|Bearer|postgres"}, {"timestamps": True, "tail": 5000}):
        answer = await cluster.ask(
            "logs", kind="deploy", name=scene.LEAKY.name, namespace=scene.SHOP, view=view, **extra
        )
        assert CANARY not in answer.text


@promise("S4", service="kubernetes")
async def test_grep_cannot_feel_for_a_credential(cluster: Desk) -> None:
    for guess in (CANARY[:-1], f"password={CANARY[:4]}", f'token":"{CANARY[0]}'):
        answer = await cluster.ask("logs", kind="deploy", name="gateway", namespace=scene.SHOP, grep=guess)
        assert answer.rows[0][6] == "0"


@promise("S13", service="kubernetes")
async def test_orders_in_a_log_stay_inside_the_envelope(cluster: Desk) -> None:
    answer = await cluster.ask("logs", kind="deploy", name=scene.INJECTING.name, namespace=scene.SHOP)
    assert answer.text.count("</untrusted>") == 1
    assert scene.ORDERS in "\n".join(lines_of(answer))
    assert not set("\x1b\u202e\u202c\u200b\u2060\ufeff\x00\x07\x08") & set(answer.text)


async def test_a_missing_pod_is_refused_with_near_names(cluster: Desk) -> None:
    error = await error_of(cluster.ask("logs", name="toolbux", namespace=scene.SHOP))
    assert error.code == "not_found"
    assert "near: toolbox" in error.text


async def test_a_user_without_rights_is_told_what_is_missing(nobody: Desk) -> None:
    error = await error_of(nobody.ask("logs", name="toolbox", namespace=scene.SHOP))
    assert error.code == "forbidden"


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({}, "invalid_argument", "name"),
        ({"name": "a", "label_selector": "a=b"}, "invalid_argument", "name"),
        ({"kind": "deploy", "label_selector": "a=b"}, "invalid_argument", "label_selector"),
        ({"label_selector": "a b"}, "invalid_selector", "label_selector"),
        ({"name": "a", "since": "tomorrow"}, "invalid_argument", "since"),
        ({"name": "a", "since": "now+1h"}, "invalid_argument", "since"),
        ({"name": "a", "grep": "("}, "invalid_argument", "grep"),
        ({"name": "a", "grep": "!"}, "invalid_argument", "grep"),
        ({"name": "a", "grep": "(?=a)"}, "invalid_argument", "grep"),
        ({"name": "../x"}, "invalid_argument", "name"),
        ({"name": "a", "namespace": "a/b"}, "invalid_argument", "namespace"),
        ({"kind": "node", "name": "node-1", "previous": True}, "invalid_argument", "previous"),
        ({"kind": "node", "name": "node-1", "namespace": "shop"}, "invalid_argument", "namespace"),
        ({"kind": "node", "name": "node-1", "container": "../../etc/shadow"}, "invalid_argument", "container"),
        ({"kind": "nosuch", "name": "a"}, "unknown_kind", "kind"),
    ],
)
async def test_wrong_arguments_are_refused_by_name(
    cluster: Desk, arguments: dict[str, object], code: str, field: str
) -> None:
    error = await error_of(cluster.ask("logs", **arguments))
    assert error.code == code
    assert error.text.startswith(field)


async def test_the_answer_says_when_it_was_given(cluster: Desk) -> None:
    answer = await cluster.ask("logs", name="toolbox", namespace=scene.SHOP, tail=1)
    stamp = answer.text.splitlines()[0].rpartition(", ")[2]
    assert abs(datetime.fromisoformat(stamp) - datetime.now(UTC)) < timedelta(minutes=1)
