"""helm_repo: indexes read again, and the list of repositories that replicas share."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ConfigError
from tests.fault_server.behaviours import answer, html_login
from tests.fault_server.server import fault_server
from tests.services.helm.charts import shelves
from tests.services.helm.sites import LOOPBACK, index_of, stocked
from tests.services.kubernetes.clusters import NOBODY_LISTENS, error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk

SMALL = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}


def changeable(file: Path, url: str, **more: object) -> dict[str, object]:
    """A list that can be changed, with addresses on this port of loopback."""
    port = int(url.rpartition(":")[2])
    return {"added_file": str(file), "addresses": {"allowed_networks": LOOPBACK, "ports": [port]}, **more}


async def test_update_reads_every_index_again_and_tells_what_is_in_it(shelf: Desk) -> None:
    updated = await shelf.ask("repo", action="update")
    assert [row[:3] for row in updated.rows] == [
        ["lab", "refreshed", "3"],
        ["registry", "answers; its charts cannot be listed", ""],
    ]
    again = await shelf.ask("repo", action="update", name="lab")
    assert [row[:3] for row in again.rows] == [["lab", "unchanged", "3"]]


async def test_update_goes_on_over_repositories_that_fail(lab: LabEnv) -> None:
    charts = {"repositories": {"dead": {"url": NOBODY_LISTENS}, "lab": {"url": lab.chart_repository}}}
    async with stocked(lab, charts) as desk:
        updated = await desk.ask("repo", action="update")
    assert updated.rows[0][0] == "dead"
    assert updated.rows[0][1].startswith("failed: repo_unreachable: dead: ")
    assert updated.rows[1][:2] == ["lab", "refreshed"]


async def test_what_is_added_on_one_node_is_there_on_the_others(lab: LabEnv, tmp_path: Path) -> None:
    charts = changeable(tmp_path / "added.json", lab.chart_repository)
    async with stocked(lab, charts) as one, stocked(lab, charts) as two:
        added = await one.ask("repo", action="add", name="mine", url=f"{lab.chart_repository}/")
        assert [row[:3] for row in added.rows] == [["mine", "refreshed", "3"]]
        found = await two.ask("chart", view="search", query="shop", repo="mine")
        assert found.rows[0][0] == "mine/shop"
        listed = await two.ask("chart", view="repos")
        assert [(row[0], row[1], row[5]) for row in listed.rows] == [("mine", lab.chart_repository, "yes")]
        assert "removed repository mine" in (await two.ask("repo", action="remove", name="mine")).text
        assert (await one.ask("chart", view="repos")).rows == []
        error = await error_of(one.ask("repo", action="remove", name="mine"))
        assert error.code == "not_found"


async def test_additions_at_the_same_time_are_all_kept(lab: LabEnv, tmp_path: Path) -> None:
    charts = changeable(tmp_path / "added.json", lab.chart_repository)
    async with stocked(lab, charts) as one, stocked(lab, charts) as two:
        names = [f"mine{number}" for number in range(12)]
        await asyncio.gather(
            *(
                desk.ask("repo", action="add", name=name, url=lab.chart_repository)
                for name, desk in zip(names, [one, two] * 6, strict=True)
            )
        )
        assert sorted(row[0] for row in (await one.ask("chart", view="repos")).rows) == sorted(names)


async def test_only_what_has_an_index_is_added(lab: LabEnv, tmp_path: Path) -> None:
    file = tmp_path / "added.json"
    async with fault_server(html_login()) as site, stocked(lab, changeable(file, site.url)) as desk:
        error = await error_of(desk.ask("repo", action="add", name="mine", url=site.url))
        assert error.code == "not_an_index"
        error = await error_of(desk.ask("repo", action="add", name="mine", url="https://10.0.0.1/charts"))
        assert error.code == "url_denied"
        assert (await desk.ask("chart", view="repos")).rows == []
    assert not file.exists()


async def test_names_are_not_taken_twice_and_the_configuration_stays(lab: LabEnv, tmp_path: Path) -> None:
    charts = changeable(tmp_path / "added.json", lab.chart_repository, **shelves(lab))
    async with stocked(lab, charts) as desk:
        error = await error_of(desk.ask("repo", action="add", name="lab", url=lab.chart_repository))
        assert error.code == "name_taken"
        await desk.ask("repo", action="add", name="mine", url=lab.chart_repository)
        error = await error_of(desk.ask("repo", action="add", name="mine", url=lab.chart_repository))
        assert error.code == "name_taken"
        error = await error_of(desk.ask("repo", action="remove", name="lab"))
        assert error.code == "fixed_by_config"


async def test_a_list_without_a_file_is_fixed(shelf: Desk, lab: LabEnv) -> None:
    for arguments in ({"action": "add", "url": lab.chart_repository}, {"action": "remove"}):
        error = await error_of(shelf.ask("repo", name="mine", **arguments))
        assert (error.code, "helm.charts.added_file" in error.text) == ("fixed_by_config", True)


async def test_a_credential_goes_to_its_own_hosts_only(lab: LabEnv, tmp_path: Path) -> None:
    index = answer(index_of(small=[SMALL]))
    async with fault_server(index) as theirs, fault_server(index) as other:
        ports = [int(one.url.rpartition(":")[2]) for one in (theirs, other)]
        credential = {"username": "reader", "password": "secret", "hosts": [theirs.url.partition("://")[2]]}
        charts = {
            "added_file": str(tmp_path / "added.json"),
            "credentials": {"reader": credential},
            "addresses": {"allowed_networks": LOOPBACK, "ports": ports},
        }
        async with stocked(lab, charts) as desk:
            error = await error_of(desk.ask("repo", action="add", name="other", url=other.url, auth="reader"))
            assert error.text.startswith("auth: reader is for ")
            error = await error_of(desk.ask("repo", action="add", name="other", url=other.url, auth="nobody"))
            assert "configured: reader" in error.text
            await desk.ask("repo", action="add", name="theirs", url=theirs.url, auth="reader")
            await desk.ask("repo", action="update", name="theirs")
        assert other.requests == []
        assert {request.headers["authorization"] for request in theirs.requests} == {"Basic cmVhZGVyOnNlY3JldA=="}
    kept = (tmp_path / "added.json").read_text(encoding="utf-8")
    assert "secret" not in kept
    assert json.loads(kept) == {"theirs": {"url": theirs.url, "auth": "reader"}}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"action": "update", "url": "https://example.com"}, "url"),
        ({"action": "remove", "name": "mine", "auth": "x"}, "auth"),
        ({"action": "remove"}, "name"),
        ({"action": "add", "name": "a/b", "url": "https://example.com"}, "name"),
        ({"action": "add", "name": "mine"}, "url"),
        ({"action": "add", "name": "mine", "url": "example.com"}, "url"),
        ({"action": "add", "name": "mine", "url": "file:///etc"}, "url"),
        ({"action": "update", "name": "nothing"}, "name"),
    ],
)
async def test_bad_arguments_are_refused_by_name(shelf: Desk, arguments: dict[str, object], field: str) -> None:
    error = await error_of(shelf.ask("repo", **arguments))
    assert error.text.startswith(f"{field}: "), error.text


async def test_a_broken_file_of_added_repositories_is_reported_at_the_start(lab: LabEnv, tmp_path: Path) -> None:
    file = tmp_path / "added.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"helm\.charts\.added_file: .* cannot be read"):
        async with stocked(lab, {"added_file": str(file)}):
            pass
