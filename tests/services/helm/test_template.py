"""helm_template on the lab's charts, against the helm program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from lab import CANARY
from tests.services.helm.charts import SETTINGS, chart, shelves
from tests.services.helm.program import engine, helm
from tests.services.helm.sites import deploying
from tests.services.kubernetes.clusters import clusters, error_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {}
"""
CAPABLE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: facts}
data:
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  metrics: {{ .Capabilities.APIVersions.Has "metrics.k8s.io/v1beta1/PodMetrics" | quote }}
  unknown: {{ .Capabilities.APIVersions.Has "example.com/v9" | quote }}
"""


@pytest.fixture
async def renderer(lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service with the lab's Helm, charts and cluster."""
    settings = {**engine(lab), "charts": shelves(lab)}
    async with clusters(service="helm", settings=settings, lab=lab.kubeconfig_viewer) as running:
        yield running


async def test_the_documents_are_those_that_helm_renders(renderer: Desk, lab: LabEnv) -> None:
    ours = await renderer.ask("template", chart="lab/shop", name="x", namespace="here", values="orders: {parallel: 7}")
    options = ["-n", "here", "--set", "orders.parallel=7"]
    theirs = await helm(lab, "template", "x", "shop", f"--repo={lab.chart_repository}", *options)
    documents = [one for one in yaml.safe_load_all(theirs) if one]
    assert f"{len(documents)} of {len(documents)} documents" in ours.text
    orders = next(one for one in documents if one["metadata"]["name"] == "x-orders")
    assert orders["data"] == {"parallel": "7", "channel": "#shop"}
    assert '  parallel: "7"' in ours.text
    for one in documents:
        assert f"  name: {one['metadata']['name']}" in ours.text
    assert CANARY not in ours.text


async def test_a_summary_names_objects_images_and_resources(renderer: Desk) -> None:
    answer = await renderer.ask("template", chart="lab/web", mode="summary", values="migrate: {enabled: true}")
    rows = {row[0]: row for row in answer.rows}
    assert rows["Deployment"][3] == "registry.example.com/web:2.0"
    assert rows["Job"][2] != ""
    assert rows["Deployment"][5] == "templates/application.yaml"


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("configmap", ["x-orders"]),
        ("ConfigMap/x-orders", ["x-orders"]),
        ("templates/orders.yaml", ["x-orders"]),
    ],
)
async def test_documents_can_be_chosen(renderer: Desk, select: str, names: list[str]) -> None:
    values = "web: {enabled: false}"
    answer = await renderer.ask("template", chart="lab/shop", name="x", select=select, values=values)
    assert f"{len(names)} of {len(names)} document" in answer.text
    assert f"  name: {names[0]}" in answer.text


async def test_what_is_not_there_cannot_be_chosen(renderer: Desk) -> None:
    for select in ("Ingress", "templates/none.yaml"):
        error = await error_of(renderer.ask("template", chart="lab/shop", select=select))
        assert error.text.startswith("select: ")


async def test_templates_see_the_cluster_or_the_version_that_is_asked_for(lab: LabEnv, tmp_path: Path) -> None:
    async with deploying(lab, chart(tmp_path, capable=CAPABLE)) as desk:
        here = await desk.ask("template", chart="site/small")
        assert "version: v1.37" in here.text
        assert 'metrics: "true"' in here.text
        assert 'unknown: "false"' in here.text
        old = await desk.ask("template", chart="site/small", kube_version="1.28")
        assert "version: v1.28" in old.text
        error = await error_of(desk.ask("template", chart="site/small", kube_version="--help"))
        assert error.text.startswith("kube_version: ")


async def test_definitions_come_only_when_asked_for(lab: LabEnv, tmp_path: Path) -> None:
    folder = chart(tmp_path, settings=SETTINGS)
    (folder / "crds").mkdir()
    (folder / "crds" / "things.yaml").write_text(DEFINITION, encoding="utf-8")
    async with deploying(lab, folder) as desk:
        assert "things.example.com" not in (await desk.ask("template", chart="site/small")).text
        assert "things.example.com" in (await desk.ask("template", chart="site/small", include_crds=True)).text


async def test_lint_tells_what_helm_tells(renderer: Desk, lab: LabEnv, tmp_path: Path) -> None:
    fine = await renderer.ask("template", chart="lab/shop", mode="lint")
    assert fine.rows == [["INFO", "Chart.yaml", "icon is recommended"]]
    wrong = await renderer.ask("template", chart="lab/shop", mode="lint", values="orders: {parallel: x}")
    assert wrong.rows[0][0] == "ERROR"
    assert "'/orders/parallel': got string, want integer" in wrong.text
    folder = chart(tmp_path, shown="a: {{ .Values.a.b.c }}")
    async with deploying(lab, folder) as desk:
        broken = await desk.ask("template", chart="site/small", mode="lint")
    assert broken.rows[0][:2] == ["ERROR", "templates/"]
    assert "shown.yaml:1" in broken.rows[0][2]


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ("orders: {parallel: 100}", "values_invalid", "/orders/parallel"),
        ("orders: 5", "values_invalid", "/orders"),
        ("alerts: null", "render_failed", "orders.yaml:7"),
    ],
)
async def test_what_fails_is_named(renderer: Desk, values: str, code: str, words: str) -> None:
    error = await error_of(renderer.ask("template", chart="lab/shop", values=values))
    assert (error.code, words in error.text) == (code, True), error.text


async def test_many_documents_are_cut_whole_and_the_others_named(lab: LabEnv, tmp_path: Path) -> None:
    many = """
{{ range until 40 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "part-{{ . }}"}
data: {text: {{ repeat 1200 "x" | quote }}}
{{ end }}
"""
    async with deploying(lab, chart(tmp_path, many=many)) as desk:
        answer = await desk.ask("template", chart="site/small")
        assert len(answer.text.encode()) <= 32_000
        assert "more documents, to be had with select: ConfigMap part-" in answer.text
        last = await desk.ask("template", chart="site/small", select="ConfigMap/part-39")
    assert "name: part-39" in last.text


async def test_more_than_five_megabytes_are_refused(lab: LabEnv, tmp_path: Path) -> None:
    large = '{{ range until 60 }}\n---\na: {{ repeat 100000 "x" }}\n{{ end }}\n'
    async with deploying(lab, chart(tmp_path, large=large)) as desk:
        error = await error_of(desk.ask("template", chart="site/small"))
    assert (error.code, "5 MB" in error.text) == ("too_large", True)
