"""kubernetes_diff on the lab's cluster; nothing may be stored by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab import CANARY
from tests.services.kubernetes.clusters import clusters, error_of
from tests.services.kubernetes.kubectl import kubectl
from tests.services.kubernetes.scratch import deployment, scratch_in

if TYPE_CHECKING:
    from collections.abc import Generator

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch


@pytest.fixture
def second(lab: LabEnv) -> Generator[Scratch]:
    """Another namespace of the test's own."""
    with scratch_in(Path(lab["LAB_STATE"])) as made:
        yield made


def manifest_of(scratch: Scratch, *objects: dict[str, Any]) -> str:
    """A manifest of objects in the test's namespace."""
    return "\n---\n".join(
        json.dumps(one | {"metadata": one["metadata"] | {"namespace": scratch.namespace}}) for one in objects
    )


def config_map(name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def compare(desk: Desk, mode: str, **arguments: object) -> Answer:
    """Ask for a comparison."""
    return await desk.ask("diff", mode=mode, **arguments)


def changed_lines(text: str) -> set[str]:
    """The added and removed lines of a unified diff, without its heads and indentation."""
    lines = [line for line in text.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    return {line[0] + line[1:].strip() for line in lines if "generation:" not in line}


async def test_a_manifest_shows_what_kubectl_shows_and_stores_nothing(
    lab: LabEnv, cluster: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    made = scratch.make("ConfigMap", "settings", data={"mode": "slow", "kept": "1"})
    file = tmp_path / "manifest.yaml"
    file.write_text(manifest_of(scratch, config_map("settings", mode="quick", added="yes")), encoding="utf-8")
    answer = await compare(cluster, "manifest", manifest=file.read_text(encoding="utf-8"))
    theirs = await kubectl(lab, "diff", "--server-side", "--force-conflicts", "-f", str(file), refusals=True)
    assert changed_lines(answer.text) == changed_lines(theirs)
    assert "-mode: slow" in changed_lines(answer.text)
    assert answer.rows == [[f"ConfigMap {scratch.namespace}/settings", "configured"]]
    now = scratch.read("v1", "configmaps", "settings")
    assert now["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_new_and_unchanged_objects_are_a_line_each(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "same", data={"a": "1"})
    text = manifest_of(scratch, config_map("same", a="1"), config_map("new", b="2"))
    answer = await compare(cluster, "manifest", manifest=text)
    assert answer.text.startswith("different from lab: 1 of 2 objects of the manifest")
    assert sorted(row[1] for row in answer.rows) == ["new", "unchanged"]
    assert "+++" not in answer.text
    assert not scratch.there("v1", "configmaps", "new")


async def test_lines_around_a_change_are_as_many_as_asked_for(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("ConfigMap", "settings", data={letter: letter for letter in "abcdefg"})
    text = manifest_of(scratch, config_map("settings", d="changed"))
    narrow = await compare(cluster, "manifest", manifest=text, context_lines=0)
    wide = await compare(cluster, "manifest", manifest=text, context_lines=2)
    assert "  c: c" not in narrow.text
    assert "  c: c" in wide.text


async def test_values_of_secrets_are_told_to_differ_and_never_shown(cluster: Desk, scratch: Scratch) -> None:
    scratch.make("Secret", "login", stringData={"password": f"{CANARY}-old"})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}}
    text = manifest_of(scratch, secret | {"stringData": {"password": f"{CANARY}-new"}})
    answer = await compare(cluster, "manifest", manifest=text)
    assert answer.rows[0][1] == "configured"
    assert "password: <" in answer.text
    scratch.make("Secret", "other", stringData={"password": f"{CANARY}-other"})
    answer = await compare(
        cluster, "objects", kind="secret", name="login", other_name="other", namespace=scratch.namespace
    )
    assert "they differ" in answer.text
    assert CANARY not in answer.text


async def test_two_objects_are_compared_without_what_the_server_set(
    cluster: Desk, scratch: Scratch, second: Scratch
) -> None:
    scratch.make("Deployment", "web", **deployment("web", replicas=1))
    second.make("Deployment", "web", **deployment("web", replicas=3))
    asked = {"kind": "deploy", "name": "web", "namespace": scratch.namespace, "other_namespace": second.namespace}
    answer = await compare(cluster, "objects", **asked)
    assert changed_lines(answer.text) == {"-replicas: 1", "+replicas: 3"}
    second.api.merge(second.path("apps/v1", "deployments", "web"), {"spec": {"replicas": 1}})
    assert "equal" in (await compare(cluster, "objects", **asked)).text


async def test_objects_of_two_clusters_are_compared(lab: LabEnv, scratch: Scratch, second: Scratch) -> None:
    scratch.make("ConfigMap", "settings", data={"a": "1"})
    second.make("ConfigMap", "settings", data={"a": "2"})
    async with clusters(here=lab.kubeconfig_admin, there=lab.kubeconfig_admin) as both:
        arguments = {"kind": "cm", "name": "settings", "namespace": scratch.namespace}
        answer = await compare(both, "objects", **arguments, other_namespace=second.namespace, other_target="there")
        assert f"{second.namespace} on there" in answer.text
        assert "they differ" in answer.text
        error = await error_of(compare(both, "objects", **arguments, other_target="ther"))
    assert error.text.startswith("other_target: ")
    assert "did you mean there?" in error.text


async def test_two_namespaces_are_told_apart_object_by_object(cluster: Desk, scratch: Scratch, second: Scratch) -> None:
    for place, image in ((scratch, "1.0"), (second, "2.0")):
        fields = deployment("web")
        fields["spec"]["template"]["spec"]["containers"][0]["image"] = f"registry.example.com/web:{image}"
        place.make("Deployment", "web", **fields)
        place.make("Secret", "login", stringData={"password": f"{CANARY}-{image}"})
        place.make("Service", "web", spec={"ports": [{"port": 80}], "selector": {"app": "web"}})
    scratch.make("ConfigMap", "left", data={"a": "1"})
    second.make("ConfigMap", "right", data={"a": "1"})
    answer = await compare(cluster, "namespaces", namespace=scratch.namespace, other_namespace=second.namespace)
    rows = {(row[0], row[1]): row[2:] for row in answer.rows}
    image = "spec.template.spec.containers[0].image"
    images = "registry.example.com/web:1.0 → registry.example.com/web:2.0"
    assert rows == {
        ("Deployment", "web"): ["differs", image, images],
        ("Secret", "login"): ["differs", "data.password", ""],
        ("ConfigMap", "left"): [f"only in {scratch.namespace} on lab", "", ""],
        ("ConfigMap", "right"): [f"only in {second.namespace} on lab", "", ""],
    }
    assert CANARY not in answer.text


async def test_only_the_kinds_asked_for_are_compared(cluster: Desk, scratch: Scratch, second: Scratch) -> None:
    scratch.make("ConfigMap", "left")
    scratch.make("Secret", "login")
    arguments = {"namespace": scratch.namespace, "other_namespace": second.namespace}
    answer = await compare(cluster, "namespaces", **arguments, kind="cm")
    assert [row[0] for row in answer.rows] == ["ConfigMap"]
    error = await error_of(compare(cluster, "namespaces", **arguments, kind="node"))
    assert error.text.startswith("kind: node is in no namespace")


async def test_kinds_that_may_not_be_read_are_named_and_not_taken_for_equal(
    viewer: Desk, scratch: Scratch, second: Scratch
) -> None:
    scratch.make("Secret", "login")
    answer = await compare(viewer, "namespaces", namespace=scratch.namespace, other_namespace=second.namespace)
    assert any(line.startswith("secrets: forbidden") for line in answer.result.partial)
    assert "login" not in answer.text


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"mode": "manifest"}, "manifest"),
        ({"mode": "manifest", "manifest": "a: 1", "kind": "pod"}, "kind"),
        ({"mode": "objects", "kind": "pod"}, "name"),
        ({"mode": "objects", "kind": "pod", "name": "a"}, "other_name"),
        ({"mode": "objects", "kind": "pod", "name": "a", "manifest": "a: 1"}, "manifest"),
        ({"mode": "namespaces", "namespace": "shop"}, "other_namespace"),
        ({"mode": "namespaces", "namespace": "shop", "other_namespace": "nowhere"}, "other_namespace"),
        ({"mode": "namespaces", "namespace": "shop", "other_namespace": "batch", "name": "x"}, "name"),
    ],
)
async def test_arguments_that_do_not_fit_the_mode_are_named(
    cluster: Desk, arguments: dict[str, object], field: str
) -> None:
    error = await error_of(cluster.ask("diff", **arguments))
    assert error.text.startswith(f"{field}: "), error.text


async def test_a_manifest_the_server_refuses_is_explained(cluster: Desk, scratch: Scratch) -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dat": {}}
    error = await error_of(compare(cluster, "manifest", manifest=manifest_of(scratch, wrong)))
    assert error.code == "unknown_field"
    error = await error_of(compare(cluster, "manifest", manifest="a: ["))
    assert error.code == "invalid_yaml"


async def test_a_user_who_may_not_patch_is_told(viewer: Desk, scratch: Scratch) -> None:
    error = await error_of(compare(viewer, "manifest", manifest=manifest_of(scratch, config_map("new", a="1"))))
    assert error.code == "forbidden"
