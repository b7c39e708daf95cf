"""helm_list on the lab's releases, against the helm program."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from lab import CANARY, scene
from tests.services.helm.charts import chart
from tests.services.helm.program import helm, helm_json
from tests.services.kubernetes.clusters import Counter, clusters, error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch


async def test_the_list_is_that_of_the_program(lab: LabEnv, cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES)
    listed: list[dict[str, Any]] = await helm_json(lab, "list", "-n", scene.RELEASES)
    theirs = [
        [one[key] for key in ("namespace", "name", "revision", "status", "chart", "app_version")] for one in listed
    ]
    ours = [[*row[:4], *row[5:7]] for row in answer.rows]
    assert ours == sorted(theirs, key=lambda row: row[1])
    assert len(ours) == 3


async def test_a_failed_release_says_why_and_what_serves_meanwhile(cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES, status="failed")
    (row,) = answer.rows
    assert row[:4] == [scene.RELEASES, scene.FAILED_RELEASE.name, "2", "failed"]
    assert "pre-upgrade hooks failed" in row[-1]
    assert "revision 1 is still deployed" in row[-1]
    assert [one[1] for one in (await cluster.ask("list", namespace=scene.RELEASES, status="broken")).rows] == [
        "billing"
    ]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"status": "deployed"}, ["reporting", "storefront"]),
        ({"status": "pending"}, []),
        ({"status": "uninstalled"}, []),
        ({"query": "FRONT"}, ["storefront"]),
        ({"chart": "web"}, ["billing", "storefront"]),
        ({"chart": "web-1.3"}, ["billing", "storefront"]),
        ({"chart": "report-0.4.1"}, ["reporting"]),
        ({"chart": "we"}, []),
        ({"label_selector": "team=shop"}, ["storefront"]),
        ({"label_selector": "team in (shop,finance)"}, ["billing", "storefront"]),
        ({"label_selector": "!team"}, ["reporting"]),
        ({"since": "20d"}, ["billing", "reporting", "storefront"]),
        ({"since": "1s"}, []),
        ({"sort_by": "status"}, ["billing", "reporting", "storefront"]),
    ],
)
async def test_filters_take_what_they_say(cluster: Desk, arguments: dict[str, object], names: list[str]) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES, **arguments)
    assert [row[1] for row in answer.rows] == names


async def test_the_newest_first_when_asked_for(cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES, sort_by="updated")
    assert [row[1] for row in answer.rows] == ["reporting", "billing", "storefront"]


async def test_pages_hold_each_release_once(cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES, limit=1)
    seen = [row[1] for row in answer.rows]
    while answer.cursor:
        answer = await cluster.ask("list", namespace=scene.RELEASES, limit=1, cursor=answer.cursor)
        seen += [row[1] for row in answer.rows]
    assert seen == ["billing", "reporting", "storefront"]


async def test_counts_are_by_status_namespace_and_chart(cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES, view="counts")
    assert ["broken", "1"] in answer.rows
    assert ["deployed", "2"] in answer.rows
    assert ["failed", "1"] in answer.rows
    assert [scene.RELEASES, "3"] in answer.rows
    assert ["web", "2"] in answer.rows


async def test_no_secret_of_a_release_is_in_a_list(cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace=scene.RELEASES)
    assert CANARY not in answer.text


async def test_labels_are_those_of_the_newest_revision(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    small = chart(tmp_path)
    await helm(lab, "install", "moved", small, "-n", scratch.namespace, "--labels=stage=test")
    await helm(lab, "upgrade", "moved", small, "-n", scratch.namespace, "--labels=stage=prod")
    assert not (await cluster.ask("list", namespace=scratch.namespace, label_selector="stage=test")).rows
    (row,) = (await cluster.ask("list", namespace=scratch.namespace, label_selector="stage=prod")).rows
    assert row[2] == "2"


async def test_an_uninstalled_release_whose_history_is_kept_is_listed_as_such(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await helm(lab, "install", "gone", chart(tmp_path), "-n", scratch.namespace)
    await helm(lab, "uninstall", "gone", "-n", scratch.namespace, "--keep-history")
    (row,) = (await cluster.ask("list", namespace=scratch.namespace, status="uninstalled")).rows
    assert row[3] == "uninstalled"


async def test_releases_in_config_maps_are_read_where_the_setting_says_so(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await helm(lab, "install", "mapped", chart(tmp_path), "-n", scratch.namespace, driver="configmap")
    assert not (await cluster.ask("list", namespace=scratch.namespace)).rows
    settings = {"driver": "configmap"}
    async with clusters(service="helm", settings=settings, lab=lab.kubeconfig_admin) as desk:
        (row,) = (await desk.ask("list", namespace=scratch.namespace)).rows
        assert row[5] == "small-1.0.0"
        assert (
            "colour: blue" in (await desk.ask("get", namespace=scratch.namespace, name="mapped", view="manifest")).text
        )


def store(scratch: Scratch, name: str, body: bytes, *, revision: int = 1, status: str = "deployed") -> None:
    """A Secret as Helm makes it, with any body."""
    labels = {"owner": "helm", "name": name, "version": str(revision), "status": status}
    scratch.make(
        "Secret",
        f"sh.helm.release.v1.{name}.v{revision}",
        type="helm.sh/release.v1",
        metadata={"labels": labels},
        data={"release": base64.b64encode(body).decode()},
    )


def packed(content: object) -> bytes:
    """A body as Helm writes it."""
    return zipped(json.dumps(content).encode())


def zipped(content: bytes) -> bytes:
    """Gzip in base64."""
    return base64.b64encode(gzip.compress(content))


BODY = {"name": "x", "info": {"status": "deployed"}, "chart": {"metadata": {"name": "web", "version": "1.0.0"}}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xff\xfe not base64 at all \x00", "this revision"),
        (base64.b64encode(b"plain text"), "is not the JSON of a release"),
        (base64.b64encode(gzip.compress(b"{}")[:-6]), "ends too early"),
        (zipped(b" " * 33_000_000), "is larger than 32 MB"),
        (base64.b64encode(b"\x1f\x8b\x08 broken"), "is not gzip"),
    ],
    ids=["no base64", "no JSON", "cut", "too large", "no gzip"],
)
async def test_what_cannot_be_decoded_is_a_row_and_fails_no_list(
    cluster: Desk, scratch: Scratch, body: bytes, words: str
) -> None:
    store(scratch, "broken", body)
    store(scratch, "sound", packed(BODY))
    answer = await cluster.ask("list", namespace=scratch.namespace)
    assert [row[1] for row in answer.rows] == ["broken", "sound"]
    assert answer.rows[0][5] == "?"
    assert "decode_failed" in answer.rows[0][-1]
    assert words in answer.rows[0][-1]
    assert answer.rows[1][5] == "web-1.0.0"
    error = await error_of(cluster.ask("get", namespace=scratch.namespace, name="broken"))
    assert error.code == "decode_failed"


async def test_a_body_without_gzip_is_read_too(cluster: Desk, scratch: Scratch) -> None:
    store(scratch, "old", base64.b64encode(json.dumps(BODY).encode()))
    (row,) = (await cluster.ask("list", namespace=scratch.namespace)).rows
    assert row[5] == "web-1.0.0"


async def test_many_bodies_are_read_in_few_requests_and_then_in_none(lab: LabEnv, scratch: Scratch) -> None:
    for number in range(30):
        store(scratch, f"many-{number:02}", packed(BODY))
    store(scratch, "alone", packed(BODY), revision=7)
    counter = Counter()
    async with clusters(service="helm", observer=counter, lab=lab.kubeconfig_admin) as desk:
        await desk.ask("list", namespace=scratch.namespace, query="nothing of that name")
        counter.outcomes.clear()
        answer = await desk.ask("list", namespace=scratch.namespace)
        assert len(answer.rows) == 31
        assert counter.outcomes == ["200"] * 3  # metadata, the bodies of revision 1, the one of revision 7
        counter.outcomes.clear()
        await desk.ask("list", namespace=scratch.namespace)
    assert counter.outcomes == ["200"]


async def test_who_may_not_list_secrets_is_told_which_right_is_needed(viewer: Desk, nobody: Desk) -> None:
    everywhere = await error_of(viewer.ask("list"))
    assert (everywhere.code, "name a namespace" in everywhere.text) == ("forbidden", True)
    here = await error_of(nobody.ask("list", namespace=scene.RELEASES))
    assert (here.code, f"in namespace {scene.RELEASES}" in here.text) == ("forbidden", True)


async def test_a_dead_cluster_leaves_the_answer_of_the_others(half_dead: Desk) -> None:
    answer = await half_dead.ask("list", namespace=scene.RELEASES, target="*")
    assert [row[:3] for row in answer.rows] == [
        ["lab", scene.RELEASES, n] for n in ("billing", "reporting", "storefront")
    ]
    assert "partial: dead: unreachable" in answer.text


async def test_a_namespace_that_is_not_there_is_named(cluster: Desk) -> None:
    answer = await cluster.ask("list", namespace="relases")
    assert "namespace relases does not exist on lab; near: releases" in answer.text


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"namespace": "Not A Name"}, "namespace"),
        ({"since": "yesterday-ish"}, "since"),
        ({"since": "now+1h"}, "since"),
        ({"label_selector": "a=b=c"}, "label_selector"),
    ],
)
async def test_what_is_wrong_is_named(cluster: Desk, arguments: dict[str, object], field: str) -> None:
    error = await error_of(cluster.ask("list", **arguments))
    assert error.text.startswith(f"{field}: ")
