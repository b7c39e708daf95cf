"""helm_get on the lab's releases, against the helm program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab import CANARY, scene
from lab.probes import wait_until
from tests.services.helm.charts import SETTINGS, chart
from tests.services.helm.program import helm, helm_json
from tests.services.helm.test_list import BODY, packed, store
from tests.services.kubernetes.clusters import clusters, error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch

STOREFRONT = {"namespace": scene.RELEASES, "name": scene.DEPLOYED_RELEASE.name}
BILLING = {"namespace": scene.RELEASES, "name": scene.FAILED_RELEASE.name}
VIEWS = ("status", "values", "all_values", "manifest", "notes", "hooks", "resources", "history", "chart")


async def view(desk: Desk, name: str, release: dict[str, str] = STOREFRONT, **arguments: object) -> Answer:
    """One view of a release."""
    return await desk.ask("get", **release, view=name, **arguments)


def inside(answer: Answer) -> str:
    """What is in the first envelope of an answer."""
    return answer.text.partition("<untrusted")[2].partition(">\n")[2].partition("\n</untrusted>")[0]


def without(value: Any, *paths: str) -> Any:
    """A copy of nested maps without the values at those dotted paths."""
    copy = json.loads(json.dumps(value))
    for path in paths:
        *above, last = path.split(".")
        place = copy
        for part in above:
            place = place[part]
        del place[last]
    return copy


async def test_the_values_are_those_of_the_program_but_for_secrets(lab: LabEnv, cluster: Desk) -> None:
    theirs = await helm_json(lab, "get", "values", "storefront", "-n", scene.RELEASES)
    ours = yaml.safe_load(inside(await view(cluster, "values")))
    secrets = ("apiToken", "database.dsn")
    assert without(ours, *secrets) == without(theirs, *secrets)
    assert "bytes, sha " in ours["apiToken"]
    assert "bytes, sha " in ours["database"]["dsn"]
    every = await helm_json(lab, "get", "values", "storefront", "-n", scene.RELEASES, "--all")
    merged = yaml.safe_load(inside(await view(cluster, "all_values")))
    assert without(merged, *secrets, "database.password") == without(every, *secrets, "database.password")


async def test_a_null_takes_a_default_away_as_the_program_has_it(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    small = chart(tmp_path, values="colour: blue\nnested: {a: 1, b: [1, 2], c: {d: x}}\n")
    given = {"colour": None, "nested": {"b": [3], "c": None, "e": {"f": True}}, "more": 2}
    await helm(lab, "install", "merged", small, "-n", scratch.namespace, "-f", "-", given=json.dumps(given))
    release = {"namespace": scratch.namespace, "name": "merged"}
    every = await helm_json(lab, "get", "values", "merged", "-n", scratch.namespace, "--all")
    assert yaml.safe_load(inside(await view(cluster, "all_values", release))) == every


@pytest.mark.parametrize("shown", VIEWS)
@pytest.mark.parametrize("release", [STOREFRONT, BILLING], ids=lambda release: release["name"])
async def test_no_view_shows_a_secret(cluster: Desk, shown: str, release: dict[str, str]) -> None:
    answer = await view(cluster, shown, release)
    assert CANARY not in answer.text
    assert answer.text.startswith(f"{shown} of release {release['name']}")


async def test_the_manifest_is_that_of_the_program_but_for_secrets(lab: LabEnv, cluster: Desk) -> None:
    theirs = list(yaml.safe_load_all(await helm(lab, "get", "manifest", "storefront", "-n", scene.RELEASES)))
    answer = await view(cluster, "manifest")
    assert answer.text.count("<untrusted") == len(theirs) == 4
    parts = answer.text.split("<untrusted")[1:]
    ours = [yaml.safe_load(part.partition(">\n")[2].partition("\n</untrusted>")[0]) for part in parts]
    for mine, their in zip(ours, theirs, strict=True):
        assert (mine["kind"], mine["metadata"]["name"]) == (their["kind"], their["metadata"]["name"])
        if mine["kind"] in {"ConfigMap", "Service"}:
            assert mine == their
    assert "# web/templates/application.yaml" in answer.text


async def test_documents_are_chosen_by_kind_and_name(cluster: Desk) -> None:
    one = await view(cluster, "manifest", select="service/storefront")
    assert one.text.count("<untrusted") == 1
    assert "kind: Service" in one.text
    assert "kind: Deployment" in (await view(cluster, "manifest", select="deployments")).text
    error = await error_of(view(cluster, "manifest", select="ingress"))
    assert error.text.startswith("select: ")
    assert "Deployment/storefront" in error.text


async def test_a_long_manifest_is_read_document_by_document(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    many = """{{- range until 40 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: part-{{ . }}}
data: {text: {{ repeat 900 "x" }}}
{{- end }}"""
    await helm(lab, "install", "long", chart(tmp_path, many=many), "-n", scratch.namespace)
    release = {"namespace": scratch.namespace, "name": "long"}
    answer = await view(cluster, "manifest", release)
    text = answer.text
    while answer.cursor:
        assert len(answer.text.encode()) <= 16_000
        answer = await view(cluster, "manifest", release, cursor=answer.cursor)
        text += answer.text
    for number in range(40):
        assert text.count(f"name: part-{number}\n") == 1
    assert "cut" not in text


async def test_a_value_is_chosen_by_its_path(cluster: Desk) -> None:
    assert "vouchers: true" in (await view(cluster, "values", select="features")).text
    assert inside(await view(cluster, "all_values", select="image.tag")).strip("'\"") == "2.0"
    secret = await view(cluster, "all_values", select="database.password")
    assert "bytes, sha " in secret.text
    error = await error_of(view(cluster, "values", select="features.wishes"))
    assert "there is no wishes under features; there is vouchers" in error.text


async def test_the_history_is_that_of_the_program(lab: LabEnv, cluster: Desk) -> None:
    for release in (STOREFRONT, BILLING):
        theirs = await helm_json(lab, "history", release["name"], "-n", scene.RELEASES)
        ours = (await view(cluster, "history", release)).rows
        told = [[row[0], row[2], row[3], row[4], row[5]] for row in reversed(ours)]
        keys = ("status", "chart", "app_version", "description")
        assert told == [[str(one["revision"]), *(one[key] for key in keys)] for one in theirs]
    first = await view(cluster, "history", limit=1)
    assert [row[0] for row in first.rows] == ["3"]
    assert [row[0] for row in (await view(cluster, "history", limit=1, cursor=first.cursor)).rows] == ["2"]


async def test_an_earlier_revision_is_shown_when_asked_for(lab: LabEnv, cluster: Desk) -> None:
    theirs = await helm_json(lab, "get", "values", "storefront", "-n", scene.RELEASES, "--revision", "1")
    assert yaml.safe_load(inside(await view(cluster, "values", revision=1))) == theirs
    error = await error_of(view(cluster, "values", revision=9))
    assert (error.code, "held: 1, 2, 3" in error.text) == ("revision_not_found", True)


async def test_hooks_notes_and_chart_are_told(lab: LabEnv, cluster: Desk) -> None:
    hooks = await view(cluster, "hooks", BILLING)
    assert "kind: Job" in hooks.text
    assert "helm.sh/hook: pre-upgrade" in hooks.text
    assert "which holds none" in (await view(cluster, "hooks")).text
    notes = await view(cluster, "notes")
    theirs = (await helm(lab, "get", "notes", "storefront", "-n", scene.RELEASES)).splitlines()
    assert next(line for line in theirs if "Reach it" in line) in notes.text
    assert "password=***" in notes.text
    facts = await view(cluster, "chart")
    for fact in ("name: web", "version: 1.3.1", "app version: 2026.9", "home: https://example.com/charts/web"):
        assert fact in facts.text
    assert ["Platform team", "platform@example.com", ""] in facts.rows


async def test_the_status_of_a_sound_release_has_no_findings(cluster: Desk) -> None:
    answer = await view(cluster, "status")
    for fact in ("status: deployed", "chart: web-1.3.1", "labels: team=shop, tier=front", "objects: 4, 4 there"):
        assert fact in answer.text
    assert "ready: 1 of 1 that tell" in answer.text
    assert "Findings" not in answer.text


async def test_the_status_of_a_failed_release_says_what_failed_and_what_serves(cluster: Desk) -> None:
    answer = await view(cluster, "status", BILLING)
    assert "revision 2 failed; revision 1 is still marked deployed" in answer.text
    assert "hook Job billing-migrate (pre-upgrade) failed" in answer.text
    assert answer.rows[0][:4] == ["billing-migrate", "Job", "pre-upgrade", "Failed"]


WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}, annotations: {lab/fate: unready}}
    spec: {containers: [{name: main, image: registry.example.com/web:1.0}]}
"""
UNKNOWN = """
apiVersion: example.com/v1
kind: Nothing
metadata: {name: unknown}
"""


async def test_missing_and_unready_objects_are_found(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    small = chart(tmp_path, settings=SETTINGS, workload=WORKLOAD)
    await helm(lab, "install", "lame", small, "-n", scratch.namespace)
    scratch.api.delete(scratch.path("v1", "configmaps", "lame-settings"))
    release = {"namespace": scratch.namespace, "name": "lame"}

    def begun() -> bool:
        status = scratch.read("apps/v1", "deployments", "lame").get("status", {})
        return status.get("unavailableReplicas") == 1

    wait_until("the pod", begun, within=30)
    answer = await view(cluster, "status", release)
    where = scratch.namespace
    assert f"missing: ConfigMap {where}/lame-settings is in the manifest and not in the cluster" in answer.text
    assert f"not ready: Deployment {where}/lame: 0/1 ready" in answer.text
    rows = (await view(cluster, "resources", release)).rows
    assert [row[:4] for row in rows] == [
        ["ConfigMap", f"{where}/lame-settings", "missing", ""],
        ["Deployment", f"{where}/lame", "0/1 ready", "no"],
    ]
    chosen = await view(cluster, "resources", release, select="deployment")
    assert len(chosen.rows) == 1


async def test_many_objects_of_a_kind_are_all_looked_up(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    many = """{{- range until 12 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: part-{{ . }}}
{{- end }}"""
    await helm(lab, "install", "many", chart(tmp_path, many=many), "-n", scratch.namespace)
    scratch.api.delete(scratch.path("v1", "configmaps", "part-3"))
    scratch.api.merge(
        scratch.path("v1", "configmaps", "part-5"), {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
    )
    release = {"namespace": scratch.namespace, "name": "many"}
    rows = (await view(cluster, "resources", release)).rows
    assert [row[1].rpartition("-")[2] for row in rows if row[2] == "missing"] == ["3"]
    first = await view(cluster, "resources", release, limit=6)
    second = await view(cluster, "resources", release, limit=6, cursor=first.cursor)
    assert [row[:3] for row in (*first.rows, *second.rows)] == [row[:3] for row in rows]


async def test_what_cannot_be_looked_up_is_said(cluster: Desk, scratch: Scratch) -> None:
    store(scratch, "odd", packed({**BODY, "manifest": f"---\n{UNKNOWN}\n---\njust: [a text\n---\n- no object\n"}))
    release = {"namespace": scratch.namespace, "name": "odd"}
    answer = await view(cluster, "status", release)
    assert "not read: Nothing unknown: example.com/v1 Nothing is not served here" in answer.text
    assert "not read: a text that is no object: no object with a name" in answer.text
    shown = await view(cluster, "manifest", release)
    assert "just: [a text" in shown.text


async def test_a_secret_that_is_no_yaml_is_not_shown(cluster: Desk, scratch: Scratch) -> None:
    text = "---\nkind: Secret\nstringData:\n  word: unspeakable\n  word: unspeakable\n"
    store(scratch, "odd", packed({**BODY, "manifest": text}))
    shown = await view(cluster, "manifest", {"namespace": scratch.namespace, "name": "odd"})
    assert "unspeakable" not in shown.text
    assert "a Secret of" in shown.text


async def test_a_pending_operation_is_told(cluster: Desk, scratch: Scratch) -> None:
    store(scratch, "moving", packed(BODY), revision=1)
    store(scratch, "moving", packed(BODY), revision=2, status="pending-upgrade")
    answer = await view(cluster, "status", {"namespace": scratch.namespace, "name": "moving"})
    assert "pending-upgrade since " in answer.text
    assert "an operation is under way" in answer.text


async def test_an_uninstalled_release_tells_when_it_went(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await helm(lab, "install", "gone", chart(tmp_path), "-n", scratch.namespace)
    await helm(lab, "uninstall", "gone", "-n", scratch.namespace, "--keep-history")
    answer = await view(cluster, "status", {"namespace": scratch.namespace, "name": "gone"})
    assert "uninstalled: 20" in answer.text
    assert "missing" not in answer.text


async def test_a_release_that_is_not_there_is_named_with_what_is_near_and_where_it_is(
    cluster: Desk, scratch: Scratch
) -> None:
    near = await error_of(view(cluster, "status", {"namespace": scene.RELEASES, "name": "storefrnt"}))
    assert (near.code, "near: storefront" in near.text) == ("not_found", True)
    elsewhere = await error_of(view(cluster, "status", {"namespace": scratch.namespace, "name": "storefront"}))
    assert f"held in namespace {scene.RELEASES}" in elsewhere.text
    nowhere = await error_of(view(cluster, "status", {"namespace": "relases", "name": "storefront"}))
    assert "namespace relases does not exist on lab; near: releases" in nowhere.text


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "Not_A_Name"}, "name"),
        ({"name": "x" * 54}, "name"),
        ({"name": "a,b"}, "name"),
        ({"namespace": "../x"}, "namespace"),
        ({"view": "notes", "select": "x"}, "select"),
        ({"view": "status", "cursor": "AAAA"}, "cursor"),
    ],
)
async def test_what_is_wrong_is_named(cluster: Desk, arguments: dict[str, str], field: str) -> None:
    error = await error_of(cluster.ask("get", **{**STOREFRONT, **arguments}))
    assert error.text.startswith(f"{field}: ")


async def test_who_may_not_read_secrets_is_told(viewer: Desk) -> None:
    error = await error_of(view(viewer, "status"))
    assert (error.code, "secrets" in error.text) == ("forbidden", True)


async def test_objects_that_may_not_be_read_are_said_to_be_so(lab: LabEnv, scratch: Scratch, tmp_path: Path) -> None:
    """A user with rights on Secrets of one namespace and nothing else."""
    await helm(lab, "install", "half", chart(tmp_path), "-n", scratch.namespace)
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]
    scratch.make("Role", "secrets", group_version="rbac.authorization.k8s.io/v1", rules=rules)
    scratch.make(
        "RoleBinding",
        "secrets",
        group_version="rbac.authorization.k8s.io/v1",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "secrets"},
        subjects=[{"kind": "User", "name": "nobody", "apiGroup": "rbac.authorization.k8s.io"}],
    )
    async with clusters(service="helm", lab=lab.kubeconfig_nobody) as desk:
        answer = await view(desk, "status", {"namespace": scratch.namespace, "name": "half"})
    assert f"not read: ConfigMap {scratch.namespace}/half-settings: forbidden" in answer.text
