"""helm_chart on the lab's chart repository and registry, against the helm program; faults on a scripted server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from lab import CANARY
from tests.services.helm.program import helm
from tests.services.helm.sites import stocked
from tests.services.kubernetes.clusters import NOBODY_LISTENS, error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk


async def test_search_finds_what_helm_finds(shelf: Desk, lab: LabEnv, tmp_path: Path) -> None:
    found = await shelf.ask("chart", view="search", query="web")
    assert [row[:3] for row in found.rows] == [
        ["lab/web", "1.3.1", "2026.9"],
        ["lab/shop", "2.0.0", "7.1"],
    ]
    assert "registry is a registry" in found.text
    # helm itself, with an index of its own
    config, cache = tmp_path / "repositories.yaml", tmp_path / "cache"
    places = [f"--repository-config={config}", f"--repository-cache={cache}"]
    await helm(lab, "repo", "add", "lab", lab.chart_repository, *places)
    theirs = json.loads(await helm(lab, "search", "repo", "web", "-o", "json", *places))
    assert sorted([row["name"], row["version"], row["app_version"]] for row in theirs) == sorted(
        row[:3] for row in found.rows
    )


async def test_search_without_a_query_lists_all_and_pages(shelf: Desk) -> None:
    page = await shelf.ask("chart", view="search", repo="lab", limit=1)
    names = [row[0] for row in page.rows]
    while page.cursor:
        page = await shelf.ask("chart", view="search", repo="lab", limit=1, cursor=page.cursor)
        names += [row[0] for row in page.rows]
    assert names == ["lab/report", "lab/shop", "lab/web"]


@pytest.mark.parametrize(
    ("arguments", "versions"),
    [
        ({}, ["1.3.1", "1.3.0", "1.2.0"]),
        ({"devel": True}, ["1.4.0-rc.1", "1.3.1", "1.3.0", "1.2.0"]),
        ({"version": "~1.3"}, ["1.3.1", "1.3.0"]),
        ({"version": ">=1.4.0-0"}, ["1.4.0-rc.1"]),
    ],
)
async def test_versions_newest_first_in_a_range(shelf: Desk, arguments: dict[str, object], versions: list[str]) -> None:
    for chart in ("lab/web", "registry/web"):
        found = await shelf.ask("chart", view="versions", chart=chart, **arguments)
        assert [row[0] for row in found.rows] == versions, chart


@pytest.mark.parametrize(
    ("version", "chosen"), [("", "1.3.1"), ("^1.2.0", "1.3.1"), ("<1.3", "1.2.0"), ("1.4.0-rc.1", "1.4.0-rc.1")]
)
async def test_the_version_that_helm_takes_is_shown(shelf: Desk, lab: LabEnv, version: str, chosen: str) -> None:
    given = {"version": version} if version else {}
    found = await shelf.ask("chart", chart="web", repo="lab", **given)
    assert f"summary of chart web-{chosen} from lab/web" in found.text
    options = [f"--version={version}"] if version else []
    theirs = yaml.safe_load(await helm(lab, "show", "chart", "web", f"--repo={lab.chart_repository}", *options))
    assert theirs["version"] == chosen


@pytest.mark.parametrize("chart", ["lab/shop", "registry/shop", "shop", "oci"])
async def test_a_chart_is_read_alike_wherever_it_is(shelf: Desk, lab: LabEnv, chart: str) -> None:
    name = f"oci://{lab.registry}/charts/shop" if chart == "oci" else chart
    summary = await shelf.ask("chart", chart=name)
    assert "A shop of a web application" in summary.text
    readme = await shelf.ask("chart", chart=name, view="readme")
    assert "| `orders.parallel` | orders taken at once | 4 |" in readme.text
    values = await shelf.ask("chart", chart=name, view="values")
    assert "# More of them need a larger database." in values.text
    schema = await shelf.ask("chart", chart=name, view="schema")
    assert '"maximum": 64' in schema.text
    dependencies = await shelf.ask("chart", chart=name, view="dependencies")
    assert dependencies.rows == [["web", "^1.3.0", "", "web.enabled", "", "yes"]]


async def test_values_and_readme_are_those_that_helm_shows(shelf: Desk, lab: LabEnv) -> None:
    for view in ("values", "readme"):
        ours = (await shelf.ask("chart", chart="lab/shop", view=view)).text
        theirs = await helm(lab, "show", view, "shop", f"--repo={lab.chart_repository}")
        assert [line for line in theirs.splitlines() if line.strip() and line not in ours] == []


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("orders.parallel", "  # parallel ones\n  parallel: 4"),
        ("orders.banner", "  # lines of the banner\n  banner: |\n    Welcome\n    to the shop"),
        ("orders.currencies", "  currencies:\n  - EUR\n  - USD # dollars"),
        ("orders.currencies.1", "  - USD # dollars"),
        ("alerts", '# Where alerts go.\nalerts:\n  channel: "#shop" # a channel'),
        ("web.enabled", "  enabled: true"),
    ],
)
async def test_a_part_of_the_values_keeps_its_comments(shelf: Desk, path: str, part: str) -> None:
    text = (await shelf.ask("chart", chart="lab/shop", view="values", path=path)).text
    assert text.partition(">\n")[2].partition("\n</untrusted>")[0] == part


async def test_templates_are_listed_and_shown_one_by_one(shelf: Desk) -> None:
    listed = await shelf.ask("chart", chart="lab/web", view="templates")
    assert [row[0] for row in listed.rows] == [
        "templates/NOTES.txt",
        "templates/application.yaml",
        "templates/migrate.yaml",
    ]
    one = await shelf.ask("chart", chart="lab/shop", view="templates", path="templates/orders.yaml")
    assert "{{ .Values.orders.parallel | quote }}" in one.text
    included = await shelf.ask("chart", chart="lab/shop", view="templates", path="charts/web/Chart.yaml")
    assert "version: 1.3.1" in included.text
    error = await error_of(shelf.ask("chart", chart="lab/shop", view="templates", path="templates/order.yaml"))
    assert error.code == "not_found"
    assert "near: templates/orders.yaml" in error.text


async def test_a_password_among_the_values_is_masked(shelf: Desk) -> None:
    text = (await shelf.ask("chart", chart="lab/web", view="values")).text
    assert "password:" in text
    assert CANARY not in text


async def test_repositories_tell_what_is_known_of_them_without_being_asked(shelf: Desk) -> None:
    before = await shelf.ask("chart", view="repos")
    assert [(row[0], row[2]) for row in before.rows] == [("lab", "not read"), ("registry", "")]
    await shelf.ask("chart", view="search", repo="lab")
    after = await shelf.ask("chart", view="repos")
    assert after.rows[0][2] == "3"
    assert "fixed by the configuration" in after.text


async def test_one_dead_repository_hurts_no_other(lab: LabEnv) -> None:
    dead, alive = {"url": NOBODY_LISTENS}, {"url": lab.chart_repository}
    async with stocked(lab, {"repositories": {"dead": dead, "lab": alive}}) as desk:
        found = await desk.ask("chart", view="search", query="shop")
        assert [row[0] for row in found.rows] == ["lab/shop", "lab/web"]
        assert "repo_unreachable: dead: " in found.text
        error = await error_of(desk.ask("chart", chart="dead/shop"))
        assert error.code == "repo_unreachable"
        repos = await desk.ask("chart", view="repos")
        assert [(row[0], row[4]) for row in repos.rows] == [("dead", "repo_unreachable"), ("lab", "")]
        # a name alone is found in the one that answers
        assert "shop-2.0.0" in (await desk.ask("chart", chart="shop")).text


async def test_what_is_missing_is_named_with_what_there_is(shelf: Desk) -> None:
    for chart in ("lab/shp", "shp"):
        error = await error_of(shelf.ask("chart", chart=chart))
        assert error.code == "chart_not_found"
        assert "near: shop" in error.text
    error = await error_of(shelf.ask("chart", chart="registry/shp"))
    assert error.code == "chart_not_found"
    for chart in ("lab/web", "registry/web"):
        error = await error_of(shelf.ask("chart", chart=chart, version="^9"))
        assert error.code == "version_not_found"
        assert "the newest are 1.4.0-rc.1, 1.3.1" in error.text
    error = await error_of(shelf.ask("chart", chart="labb/web"))
    assert error.code == "not_found"
    assert "lab" in error.text


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"view": "summary"}, "chart"),
        ({"view": "search", "chart": "lab/web"}, "chart"),
        ({"view": "repos", "repo": "lab"}, "repo"),
        ({"view": "search", "source": "hub", "repo": "lab"}, "repo"),
        ({"chart": "lab/web", "query": "x"}, "query"),
        ({"chart": "lab/web", "path": "templates/x"}, "path"),
        ({"chart": "lab/web", "limit": 5}, "limit"),
        ({"chart": "oci://localhost/Charts/Web"}, "chart"),
        ({"chart": "oci://localhost/web@sha256:1"}, "chart"),
        ({"chart": "ftp://localhost/web.tgz"}, "chart"),
        ({"chart": "https://localhost/charts/../web.tgz"}, "chart"),
        ({"repo": "https://localhost/charts/%2e%2e/x", "view": "search"}, "repo"),
        ({"chart": "https://localhost/web.tgz", "repo": "lab"}, "repo"),
        ({"chart": "../../etc/passwd", "repo": "lab"}, "chart"),
        ({"chart": "lab/web", "version": "latest"}, "version"),
        ({"view": "search", "query": "(["}, "query"),
        ({"chart": "lab/web", "repo": "site\n"}, "repo"),
    ],
)
async def test_bad_arguments_are_refused_by_name(shelf: Desk, arguments: dict[str, object], field: str) -> None:
    error = await error_of(shelf.ask("chart", **arguments))
    assert error.text.startswith(f"{field}: ") or error.code == "not_found", error.text
