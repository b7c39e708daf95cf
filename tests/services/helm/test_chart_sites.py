"""helm_chart on repositories that deny, mislead, break off or hold what is no chart."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.fault_server.behaviours import answer, endless, html_login, stall
from tests.fault_server.server import fault_server
from tests.services.helm.charts import chart, shelves
from tests.services.helm.sites import (
    LOOPBACK,
    PACKED,
    SMALL,
    archive_of,
    deploying,
    index_of,
    only,
    served,
    shown,
    stocked,
)
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://169.254.169.254/charts", "https://localhost/charts"])
async def test_inner_addresses_of_a_caller_are_refused(shelf: Desk, url: str) -> None:
    for arguments in ({"repo": url, "view": "search"}, {"chart": f"{url.rstrip('/')}/web-1.0.0.tgz"}):
        error = await error_of(shelf.ask("chart", **arguments))
        assert error.code == "url_denied"
    error = await error_of(shelf.ask("chart", chart=f"oci://{url.partition('://')[2].rstrip('/')}/web"))
    assert error.code == "url_denied"


async def test_an_operator_can_allow_a_network_or_forbid_all_addresses(lab: LabEnv) -> None:
    port = int(lab.chart_repository.rpartition(":")[2])
    for addresses, works in (
        ({"allowed_networks": LOOPBACK, "ports": [port]}, True),
        ({"allowed_networks": LOOPBACK, "ports": [port], "enabled": False}, False),
    ):
        async with stocked(lab, {"addresses": addresses}) as desk:
            asked = desk.ask("chart", chart="shop", repo=lab.chart_repository)
            if works:
                assert "shop-2.0.0" in (await asked).text
                direct = await desk.ask("chart", chart=f"{lab.chart_repository}/shop-2.0.0.tgz")
                assert "shop-2.0.0" in direct.text
            else:
                assert (await error_of(asked)).code == "url_denied"


async def test_a_repository_may_not_lead_to_an_inner_host(lab: LabEnv) -> None:
    async with fault_server(answer(PACKED)) as inner:
        entry = {"name": "small", "version": "1.0.0", "urls": [f"{inner.url}/small-1.0.0.tgz"]}
        async with fault_server(answer(index_of(small=[entry]))) as site:
            error = await error_of(shown(lab, site.url, chart="site/small"))
    assert error.code == "url_denied"
    assert inner.requests == []


async def test_an_index_is_asked_for_only_if_it_changed(lab: LabEnv) -> None:
    entry = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}
    first = answer(index_of(small=[entry]), headers={"ETag": '"1"'})
    async with fault_server(first, answer("", status=304)) as site, stocked(lab, only(site.url)) as desk:
        for _ in range(3):
            assert [row[0] for row in (await desk.ask("chart", view="search")).rows] == ["site/small"]
        assert len(site.requests) == 1
        updated = await desk.ask("repo", action="update")
        assert [row[:3] for row in updated.rows] == [["site", "unchanged", "1"]]
        assert site.requests[1].headers["if-none-match"] == '"1"'
        assert [row[0] for row in (await desk.ask("chart", view="search")).rows] == ["site/small"]


async def test_credentials_go_to_the_host_of_their_repository_only(lab: LabEnv) -> None:
    async with fault_server(answer(PACKED)) as other:
        entry = {"name": "small", "version": "1.0.0", "urls": [f"{other.url}/small-1.0.0.tgz"]}
        async with fault_server(answer(index_of(small=[entry]))) as site:
            auth = {"username": "reader", "password": "secret"}
            port = int(other.url.rpartition(":")[2])
            charts = {
                "repositories": {"site": {"url": site.url, "auth": auth}},
                "addresses": {"allowed_networks": LOOPBACK, "ports": [port]},
            }
            async with stocked(lab, charts) as desk:
                assert "small-1.0.0" in (await desk.ask("chart", chart="site/small")).text
    assert site.requests[0].headers["authorization"].startswith("Basic ")
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    ("index", "code", "words"),
    [
        (answer("no index here", status=500), "repo_unreachable", "answered 500"),
        (answer("", status=401), "repo_unreachable", "asks for credentials"),
        (html_login(), "not_an_index", "no index of charts"),
        (answer("a: [1"), "not_an_index", "line"),
        (answer("apiVersion: v1"), "not_an_index", "no entries"),
        (answer(b"\xff\xfe\x00"), "not_an_index", "no text"),
        (endless(), "too_large", "64 MB"),
    ],
    ids=["500", "401", "login", "broken", "empty", "binary", "endless"],
)
async def test_what_is_no_index_is_said_to_be_none(lab: LabEnv, index: Behaviour, code: str, words: str) -> None:
    async with fault_server(index) as site:
        error = await error_of(shown(lab, site.url, view="search", repo="site"))
    assert (error.code, words in error.text) == (code, True), error.text


async def test_entries_that_are_no_charts_are_left_out_and_counted(lab: LabEnv) -> None:
    good = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}
    bad: list[Mapping[str, object]] = [
        {"name": "small"},
        {"name": "other", "version": "1.0.0"},
        {"name": "small", "version": [1]},
    ]
    index = answer(index_of(small=[*bad, good], empty=[]))
    async with fault_server(index) as site, stocked(lab, only(site.url)) as desk:
        assert [row[:2] for row in (await desk.ask("chart", view="search")).rows] == [["site/small", "1.0.0"]]
        updated = await desk.ask("repo", action="update", name="site")
    assert "3 entries are not what the format says" in updated.text


async def test_an_index_may_be_json(lab: LabEnv) -> None:
    entry = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"], "created": "2026-01-02T03:04:05Z"}
    async with fault_server(answer(json.dumps({"entries": {"small": [entry]}}))) as site:
        assert "site/small" in await shown(lab, site.url, view="search")


ODD = {
    "no archive": b"hello",
    "no gzip": b"\x1f\x8bhello",
    "cut": PACKED[:-20],
    "no Chart.yaml": archive_of({"values.yaml": "a: 1"}),
    "no version": archive_of({"Chart.yaml": "name: small"}),
    "broken Chart.yaml": archive_of({"Chart.yaml": "name: [1"}),
    "climbs": archive_of({**SMALL, "../../etc/passwd": "x"}),
    "absolute": archive_of({**SMALL, "/etc/passwd": "x"}, top=""),
    "bomb": gzip.compress(bytes(150_000_000)),
}


@pytest.mark.parametrize("packed", ODD.values(), ids=ODD.keys())
async def test_archives_that_are_no_charts_are_refused(lab: LabEnv, packed: bytes) -> None:
    entry = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}
    files = {"/index.yaml": answer(index_of(small=[entry])), "/small-1.0.0.tgz": answer(packed)}
    async with fault_server(choose=served(files)) as site:
        error = await error_of(shown(lab, site.url, chart="site/small"))
    assert error.code == "invalid_chart"


async def test_a_link_in_an_archive_is_refused(lab: LabEnv) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("small/values.yaml")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    entry = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}
    files = {"/index.yaml": answer(index_of(small=[entry])), "/small-1.0.0.tgz": answer(packed.getvalue())}
    async with fault_server(choose=served(files)) as site:
        error = await error_of(shown(lab, site.url, chart="site/small", view="values"))
    assert (error.code, "no plain file" in error.text) == ("invalid_chart", True)


async def test_an_archive_must_be_the_one_of_the_index(lab: LabEnv) -> None:
    digest = hashlib.sha256(PACKED).hexdigest()
    for packed, sound in ((PACKED, True), (archive_of({**SMALL, "values.yaml": "colour: red\n"}), False)):
        entry = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"], "digest": digest}
        files = {"/index.yaml": answer(index_of(small=[entry])), "/small-1.0.0.tgz": answer(packed)}
        async with fault_server(choose=served(files)) as site:
            asked = shown(lab, site.url, chart="site/small", view="values")
            if sound:
                assert "colour: blue" in await asked
            else:
                assert "not what its index says" in (await error_of(asked)).text


async def test_a_long_file_comes_in_pieces_that_make_it_up(lab: LabEnv) -> None:
    readme = "".join(f"line {number} of the readme\n" for number in range(3_000))
    entry = {"name": "small", "version": "1.0.0", "urls": ["small-1.0.0.tgz"]}
    files = {
        "/index.yaml": answer(index_of(small=[entry])),
        "/small-1.0.0.tgz": answer(archive_of({**SMALL, "README.md": readme})),
    }
    async with fault_server(choose=served(files)) as site, stocked(lab, only(site.url)) as desk:
        read, cursor = "", dict[str, object]()
        while True:
            page = await desk.ask("chart", chart="site/small", view="readme", **cursor)
            assert len(page.text.encode()) <= 16_000
            read += page.text.partition(">\n")[2].partition("\n</untrusted>")[0] + "\n"
            if not page.cursor:
                break
            cursor = {"cursor": page.cursor}
    assert read.replace("\n\n", "\n").strip() == readme.strip()


async def test_a_stalling_repository_leaves_time_for_others(lab: LabEnv) -> None:
    async with fault_server(stall()) as site, stocked(lab, only(site.url)) as desk:
        error = await error_of(replace(desk, within=1.0).ask("chart", view="search", repo="site"))
    assert (error.code, "no whole answer in time" in error.text) == ("repo_unreachable", True)


async def test_the_hub_is_asked_only_where_that_is_allowed(shelf: Desk, lab: LabEnv) -> None:
    error = await error_of(shelf.ask("chart", view="search", source="hub", query="redis"))
    assert (error.code, "helm.charts.hub" in error.text) == ("denied_by_policy", True)
    packages = [
        {
            "name": "redis",
            "version": "1.2.3",
            "app_version": "8",
            "description": "A store",
            "deprecated": True,
            "repository": {"name": "them", "url": "https://charts.example.com"},
        },
    ]
    found = answer(json.dumps({"packages": packages}), headers={"Pagination-Total-Count": "41"})
    async with fault_server(found) as hub:
        charts = shelves(lab, hub=True, hub_url=hub.url)
        async with stocked(lab, charts) as desk:
            page = await desk.ask("chart", view="search", source="hub", query="re dis", limit=1)
            assert page.rows == [["redis", "1.2.3", "8", "deprecated: A store", "https://charts.example.com"]]
            assert "41 charts on Artifact Hub" in page.text
            await desk.ask("chart", view="search", source="hub", query="re dis", limit=1, cursor=page.cursor)
        assert [request.target for request in hub.requests] == [
            "/api/v1/packages/search?kind=0&ts_query_web=re+dis&limit=1&offset=0",
            "/api/v1/packages/search?kind=0&ts_query_web=re+dis&limit=1&offset=1",
        ]


async def test_credentials_are_for_what_lies_below_the_repository_only(lab: LabEnv) -> None:
    async with fault_server(answer(PACKED)) as site:
        auth = {"username": "reader", "password": "secret"}
        async with stocked(lab, only(f"{site.url}/team-a", auth=auth)) as desk:
            assert "small-1.0.0" in (await desk.ask("chart", chart=f"{site.url}/team-a/small-1.0.0.tgz")).text
            error = await error_of(desk.ask("chart", chart=f"{site.url}/team-b/small-1.0.0.tgz"))
            assert error.code == "url_denied"
        assert [(one.path, "authorization" in one.headers) for one in site.requests] == [
            ("/team-a/small-1.0.0.tgz", True)
        ]


async def test_values_that_only_helm_takes_for_yaml_stop_no_rendering(lab: LabEnv, tmp_path: Path) -> None:
    folder = chart(tmp_path, values="colour: blue\ncolour: red\n")
    async with deploying(lab, folder) as desk:
        assert "colour: red" in (await desk.ask("template", chart="site/small", values="other: 1")).text
