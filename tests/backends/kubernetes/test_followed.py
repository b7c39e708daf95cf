"""Kubeconfigs that change while the server runs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.followed import CHECK_SECONDS, FollowedCluster
from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.upstream.pool import Pool
from tests.backends.kubernetes.clusters import soon
from tests.backends.kubernetes.test_kubeconfig import CANARY, write

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
    from lab import LabEnv


class Followed:
    """A followed cluster with a clock that goes on at each question."""

    def __init__(self, path: Path, pool: Pool, context: str | None = None) -> None:
        self.now = 0.0
        self._cache = SegmentedCache()
        self._pool = pool
        self.made = 0
        self._cluster = FollowedCluster(
            "main", [path], context, http=pool, connect=self._connect, clock=lambda: self.now
        )

    def client(self, *, after: float = CHECK_SECONDS) -> KubernetesClient:
        """The client that many seconds later."""
        self.now += after
        return self._cluster.client()

    def _connect(self, access: ClusterAccess) -> KubernetesClient:
        self.made += 1
        return KubernetesClient(name="main", access=access, http=self._pool, cache=self._cache)


@contextlib.asynccontextmanager
async def followed(path: Path, context: str | None = None) -> AsyncGenerator[Followed]:
    """That of a file."""
    pool = Pool()
    try:
        yield Followed(path, pool, context)
    finally:
        await pool.close()


async def bearer(client: KubernetesClient) -> str:
    """The token of the client."""
    assert client.access.credentials is not None
    return (await client.access.credentials.headers())["Authorization"].removeprefix("Bearer ")


async def test_a_changed_user_is_used_from_the_next_look_on(tmp_path: Path) -> None:
    async with followed(write(tmp_path)) as cluster:
        assert await bearer(cluster.client()) == "t"
        write(tmp_path, user="token: second")
        assert await bearer(cluster.client(after=CHECK_SECONDS / 2)) == "t"
        assert await bearer(cluster.client(after=CHECK_SECONDS / 2)) == "second"
        assert cluster.made == 2


async def test_another_current_context_does_not_turn_a_target_into_another_cluster(tmp_path: Path) -> None:
    other = 'clusters: [{name: o, cluster: {server: "https://other.example"}}]'
    path = write(tmp_path)
    async with followed(path) as cluster:
        first = cluster.client()
        text = path.read_text(encoding="utf-8").replace("current-context: main", "current-context: other")
        text = text.replace("contexts: [", "contexts: [{name: other, context: {cluster: c, user: u}}, ")
        path.write_text(f"{text}\n# {other}\n", encoding="utf-8")
        assert cluster.client() is first
        assert cluster.client().access.context == "main"


async def test_what_others_write_into_the_file_leaves_the_client_and_its_tokens_alone(tmp_path: Path) -> None:
    path = write(tmp_path)
    async with followed(path) as cluster:
        first = cluster.client()
        path.write_text(f"{path.read_text(encoding='utf-8')}# touched\n", encoding="utf-8")
        assert cluster.client() is first
        assert cluster.made == 1


@pytest.mark.parametrize(
    "broken", ["a: [", "", "contexts: []", "users: 5", f"users: [{{name: u, user: {{token: {CANARY}"]
)
async def test_a_file_that_cannot_be_used_changes_nothing_until_a_good_one_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    path = write(tmp_path, user=f"token: {CANARY}")
    async with followed(path) as cluster:
        path.write_text(broken, encoding="utf-8")
        assert await bearer(cluster.client()) == CANARY
        assert "the changed kubeconfig is not used, the earlier one is kept" in caplog.text
        assert CANARY not in caplog.text
        caplog.clear()
        assert await bearer(cluster.client()) == CANARY
        assert not caplog.text
        path.unlink()
        assert await bearer(cluster.client()) == CANARY
        write(tmp_path, user="token: good")
        assert await bearer(cluster.client()) == "good"


async def test_at_the_start_an_unusable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        async with followed(write(tmp_path), "absent"):
            pass


@pytest.mark.lab
async def test_the_api_server_sees_the_new_user_and_kinds_are_asked_for_again(lab: LabEnv, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(lab.kubeconfig_viewer.read_bytes())
    async with followed(path) as cluster:
        assert await whoami(cluster.client()) == "viewer"
        path.write_bytes(lab.kubeconfig_nobody.read_bytes())
        assert await whoami(cluster.client()) == "nobody"
        path.write_bytes(lab.kubeconfig_viewer.read_bytes())
        assert await whoami(cluster.client()) == "viewer"


async def whoami(client: KubernetesClient) -> str:
    """Who the API server takes the client for."""
    reviews = await client.discovery.resolve("selfsubjectreviews", deadline=soon())
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await client.create(reviews, review, deadline=soon(), read=True)
    return as_str(dig(answer, "status", "userInfo", "username"))
