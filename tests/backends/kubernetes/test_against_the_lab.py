"""The Kubernetes client against a real API server, checked by kubectl."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec
import pytest

from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.kubeconfig import load_kubeconfig
from cloud_native_mcp.backends.kubernetes.lists import ListQuery, list_pages, metadata_page, metadata_pages
from cloud_native_mcp.backends.kubernetes.owners import descendants, owner_chain
from cloud_native_mcp.backends.kubernetes.table import table_page
from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.deadline import Deadline
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.upstream.pool import Pool
from lab import CANARY, scene

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine
    from pathlib import Path

    from lab import LabEnv

pytestmark = pytest.mark.lab


class Named(msgspec.Struct):
    """Metadata of an object, as little as is needed here."""

    name: str
    namespace: str = ""
    uid: str = ""


class Thing(msgspec.Struct):
    """Any object."""

    metadata: Named


def soon() -> Deadline:
    """A deadline that no test reaches."""
    return Deadline.after(30)


@contextlib.asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncGenerator[KubernetesClient]:
    """A client with the identity of a kubeconfig."""
    pool = Pool()
    try:
        access = load_kubeconfig([kubeconfig]).access()
        yield KubernetesClient(name="lab", access=access, http=pool, cache=SegmentedCache())
    finally:
        await pool.close()


async def kubectl(lab: LabEnv, *arguments: str) -> str:
    """What kubectl prints."""
    process = await asyncio.create_subprocess_exec(
        lab.kubectl, "--kubeconfig", lab.kubeconfig_admin, *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def code_of(attempt: Coroutine[object, object, object]) -> str:
    """The code of the error of an attempt."""
    with pytest.raises(ToolError) as caught:
        await attempt
    return caught.value.code


async def test_a_table_says_what_kubectl_says(lab: LabEnv) -> None:
    printed = await kubectl(lab, "get", "pods", "-n", scene.PAYMENTS, "--no-headers")
    async with connected(lab.kubeconfig_admin) as client:
        pods = await client.discovery.resolve("po", deadline=soon())
        page = await table_page(client, pods, ListQuery(scene.PAYMENTS), include="None", deadline=soon())
    names, rows = page.shown()
    assert names == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert [[str(cell) for cell in row[:3]] for row in rows] == [line.split()[:3] for line in printed.splitlines()]


async def test_small_pages_walk_all_pods_exactly_once(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_admin) as client:
        pods = await client.discovery.resolve("pods", deadline=soon())
        query = ListQuery(label_selector="app", limit=7)
        typed = [
            f"{item.metadata.namespace}/{item.metadata.name}"
            async for page in list_pages(client, pods, query, item=Thing, deadline=soon())
            for item in page.items
        ]
        meta = [
            f"{item.metadata.namespace}/{item.metadata.name}"
            async for page in metadata_pages(client, pods, query, deadline=soon())
            for item in page.items
        ]
    template = '{range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}'
    printed = await kubectl(lab, "get", "pods", "-A", "-l", "app", "-o", f"jsonpath={template}")
    assert typed == meta == printed.split()
    assert len(typed) > 14


async def test_every_kind_kubectl_knows_is_resolved_by_its_full_name(lab: LabEnv) -> None:
    printed = (await kubectl(lab, "api-resources", "-o", "name")).split()
    async with connected(lab.kubeconfig_viewer) as client:
        for name in printed:
            assert (await client.discovery.resolve(name, deadline=soon())).display == name
    assert len(printed) > 50


async def test_the_older_form_of_discovery_tells_the_same_kinds(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_viewer) as client:
        aggregated = await client.discovery.catalogue(soon())
        legacy = await client.discovery._load_legacy(soon())
    assert {(r, frozenset(r.subresources)) for r in legacy.resources} == {
        (r, frozenset(r.subresources)) for r in aggregated.resources
    }
    assert {group.name: group.versions for group in legacy.groups} == {
        group.name: group.versions for group in aggregated.groups
    }


async def test_custom_kinds_have_their_own_columns(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_admin) as client:
        backups = await client.discovery.resolve("backup", deadline=soon())
        page = await table_page(client, backups, ListQuery(scene.PLATFORM), deadline=soon())
    assert backups.display == scene.BACKUP_CRD
    assert {row[0] for row in page.shown()[1]} == {scene.BACKUP_OK.name, scene.BACKUP_FAILED.name}
    assert len(page.columns) > 2


async def test_missing_rights_objects_apis_and_fields_each_have_their_code(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_viewer) as viewer, connected(lab.kubeconfig_nobody) as nobody:
        pods = await viewer.discovery.resolve("pods", deadline=soon())
        secrets = await viewer.discovery.resolve("secrets", deadline=soon())
        shop = ListQuery(scene.SHOP)
        assert await code_of(metadata_page(viewer, secrets, shop, deadline=soon())) == "forbidden"
        assert await code_of(nobody.get(pods, "web", namespace=scene.SHOP, deadline=soon())) == "forbidden"
        assert await code_of(viewer.get(pods, "absent", namespace=scene.SHOP, deadline=soon())) == "not_found"
        bad_field = ListQuery(scene.SHOP, field_selector="spec.absent=1")
        assert await code_of(metadata_page(viewer, pods, bad_field, deadline=soon())) == "invalid_selector"
        bad_label = ListQuery(scene.SHOP, label_selector="a=b=c")
        assert await code_of(metadata_page(viewer, pods, bad_label, deadline=soon())) == "invalid_selector"
        bad_token = ListQuery(scene.SHOP, cursor="broken")
        assert await code_of(metadata_page(viewer, pods, bad_token, deadline=soon())) == "expired_cursor"


async def test_a_path_the_server_does_not_have_is_unsupported(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_admin) as client:
        for path in ("/apis/absent.example/v1/things", "/apis/apps/v1/things", "/api/v7"):
            assert await code_of(client.fetch(path, deadline=soon())) == "unsupported"


async def test_an_access_review_is_a_repeatable_read(lab: LabEnv) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "list", "resource": "secrets"}},
    }
    async with connected(lab.kubeconfig_viewer) as client:
        reviews = await client.discovery.resolve("selfsubjectaccessreviews", deadline=soon())
        answer = await client.create(reviews, review, deadline=soon(), read=True)
    assert msgspec.convert(answer["status"], dict[str, object])["allowed"] is False


async def test_a_pod_leads_up_to_its_deployment_and_down_again(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_admin) as client:
        kinds = [await client.discovery.resolve(kind, deadline=soon()) for kind in ("deploy", "rs", "pods")]
        deployment = await client.metadata(kinds[0], scene.HEALTHY.name, namespace=scene.SHOP, deadline=soon())
        tree = await descendants(client, [deployment.metadata.uid], kinds[1:], scene.SHOP, deadline=soon())
        pods = [item for item in tree.found if item.resource.kind == "Pod"]
        chain = await owner_chain(client, pods[0].meta, scene.SHOP, deadline=soon())
    assert len(pods) == 3
    assert [owner.kind for owner in chain] == ["ReplicaSet", "Deployment"]
    assert chain[-1].name == scene.HEALTHY.name


async def test_the_applied_copy_of_a_secret_is_not_in_its_metadata(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_admin) as client:
        secrets = await client.discovery.resolve("secret", deadline=soon())
        whole = await client.get(secrets, scene.APPLIED_SECRET.name, namespace=scene.SHOP, deadline=soon())
        page = await metadata_page(client, secrets, ListQuery(scene.SHOP), deadline=soon())
        table = await table_page(client, secrets, ListQuery(scene.SHOP), deadline=soon())
    assert CANARY in str(whole)
    assert CANARY not in str(page.items)
    assert CANARY not in str([row.meta for row in table.rows]) + str(table.shown(wide=True))


async def test_the_metrics_api_answers_nothing_as_an_empty_table(lab: LabEnv) -> None:
    async with connected(lab.kubeconfig_admin) as client:
        metrics = await client.discovery.resolve("pods.metrics.k8s.io", deadline=soon())
        page = await table_page(client, metrics, ListQuery(scene.VACANT), deadline=soon())
    assert list(page.rows) == []
