from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.app import App
from lab import CANARY
from tests.backends.kubernetes.clusters import aggregated, entry, group, routes
from tests.config.loading import settings_of
from tests.every_tool.answers import Desk, log_into
from tests.fault_server.behaviours import answer
from tests.fault_server.server import FaultServer, fault_server
from tests.server_fixtures import audit_file, lab_settings
from tests.services.helm.charts import shelves

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from lab import LabEnv

ENVIRONMENT_SECRET = "envsec-Kd83hfQ0sLw7Yt2P"
"""In an environment variable of the server while its tools are called."""


@pytest.fixture
async def desk(lab: LabEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    """Every service over the lab, with all tools; at its end audit, metrics and logs are inspected."""
    monkeypatch.setenv("CNMCP_SECRET_OF_THE_SERVER", ENVIRONMENT_SECRET)
    async with _over_the_lab(lab, tmp_path, lab.kubeconfig_admin) as desk:
        yield desk


@pytest.fixture
async def watcher(lab: LabEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    """The same as a user of the cluster who may change nothing: made-up arguments must not change the scene."""
    monkeypatch.setenv("CNMCP_SECRET_OF_THE_SERVER", ENVIRONMENT_SECRET)
    async with _over_the_lab(lab, tmp_path, lab.kubeconfig_viewer) as desk:
        yield desk


@asynccontextmanager
async def _over_the_lab(lab: LabEnv, folder: Path, kubeconfig: Path) -> AsyncGenerator[Desk]:
    short = {"quick_timeout_s": 20, "slow_timeout_s": 20, "max_timeout_s": 20}
    clusters: dict[str, object] = {"targets": {"lab": {"kubeconfig": str(kubeconfig)}}}
    settings = lab_settings(lab, folder, calls=short, kubernetes=clusters, helm={**clusters, "charts": shelves(lab)})
    app = App(settings)
    desk = Desk(app, secrets=(CANARY, ENVIRONMENT_SECRET, *_credentials(lab)), paths=_paths(lab, folder))
    handler, root = log_into(desk.log), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        await app.start()
        assert not app.manager.failed
        yield desk
        await app.close()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    desk.inspect_the_rest(audit_file(settings))


@pytest.fixture
async def away(tmp_path: Path) -> AsyncGenerator[Desk]:
    """Every service over backends that are not there: whatever asks one is answered ``unreachable``."""
    async with _over("http://127.0.0.1:1", tmp_path) as desk:
        yield desk


@dataclass
class Scripted:
    """Every service over a scripted API server that has discovery and nothing else."""

    desk: Desk
    server: FaultServer

    def asked(self) -> list[str]:
        """The targets of all requests but those of discovery."""
        return [request.path for request in self.server.requests if request.path not in DISCOVERY]


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncGenerator[Scripted]:
    async with fault_server(choose=routes(DISCOVERY)) as server, _over(server.url, tmp_path) as desk:
        yield Scripted(desk, server)


ALLOWED_NAMESPACE = "let-through"
"""The only namespace that `fenced` may reach."""


@pytest.fixture(params=["a fence around the cluster", "the rights of the caller"])
async def fenced(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Scripted]:
    """The same for a caller who reaches one namespace only, by either way to say so."""
    inside = {"allow": [{"namespaces": [ALLOWED_NAMESPACE]}]}
    ruled = {"roles": {"inside": inside}, "bindings": [{"roles": ["inside"], "principals": ["local"]}]}
    fence, rules = (inside, None) if request.param == "a fence around the cluster" else (None, ruled)
    async with (
        fault_server(choose=routes(DISCOVERY)) as server,
        _over(server.url, tmp_path, fence=fence, permissions=rules) as desk,
    ):
        yield Scripted(desk, server)


@pytest.fixture
async def acting_clusters(tmp_path: Path) -> AsyncGenerator[Scripted]:
    """The same with clusters that are asked as the caller."""
    rules = {
        "users": [{"principal": "*", "user": "mcp:{id}"}],
        "groups": [{"group": "team-*", "as_group": "mcp:{group}"}],
    }
    cluster = {"identity": "impersonate", "impersonate": rules}
    async with (
        fault_server(choose=routes(DISCOVERY)) as server,
        _over(server.url, tmp_path, cluster=cluster) as desk,
    ):
        yield Scripted(desk, server)


SCALABLE = {"subresources": [{"subresource": "scale", "responseKind": {"kind": "Scale"}, "verbs": ["get", "patch"]}]}
CORE = [
    entry("pods", "Pod", short=("po",)),
    entry("events", "Event"),
    entry("secrets", "Secret"),
    entry("services", "Service", short=("svc",)),
    entry("nodes", "Node", namespaced=False),
]
DISCOVERY = {
    "/api": answer(aggregated(group("", v1=CORE))),
    "/apis": answer(aggregated(group("apps", v1=[entry("deployments", "Deployment", short=("deploy",)) | SCALABLE]))),
}


@asynccontextmanager
async def _over(
    url: str,
    folder: Path,
    *,
    fence: Mapping[str, object] | None = None,
    permissions: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
) -> AsyncGenerator[Desk]:
    """Every service with its backends at one address, clusters with these settings, callers under these rules."""
    kubeconfig = folder / "kubeconfig.yaml"
    kubeconfig.write_text(AWAY % url, encoding="utf-8")
    both: dict[str, object] = {"kubeconfig": str(kubeconfig), "fence": dict(fence or {}), **(cluster or {})}
    permitted = {"policy": {"allow": ["drain_nodes", "reveal_secrets"]}}
    flags: dict[str, object] = {
        "kubernetes": {"enabled": True, "targets": {"away": both | permitted}},
        "helm": {
            "enabled": True,
            "targets": {"away": both},
            "charts": {"repositories": {"lab": {"url": "http://127.0.0.1:1"}}},
        },
        "prometheus": {"targets": {"away": {"url": url}}},
        "audit": {"file": str(folder / "audit.jsonl")},
        "server": {"effects": ["read", "write", "destroy"], "toolset": "extended"},
        "calls": {"quick_timeout_s": 5, "slow_timeout_s": 5, "max_timeout_s": 5},
        "permissions": dict(permissions or {}),
    }
    app = App(settings_of(flags=flags))
    await app.start()
    try:
        assert not app.manager.failed
        yield Desk(app, secrets=(CANARY, AWAY_TOKEN), paths=(str(folder),))
    finally:
        await app.close()


AWAY_TOKEN = "token-2f1c9d80e7b64a35"
AWAY = """
apiVersion: v1
kind: Config
current-context: away
contexts: [{name: away, context: {cluster: away, user: someone, namespace: shop}}]
clusters: [{name: away, cluster: {server: "%s"}}]
users: [{name: someone, user: {token: token-2f1c9d80e7b64a35}}]
"""


def _credentials(lab: LabEnv) -> list[str]:
    """What opens the lab: tokens, and a line of each private key as PEM and kubeconfig hold it."""
    pki = lab.state / "pki"
    tokens = [file.read_text("ascii").strip() for file in pki.glob("*.token")]
    keys = [file.read_text("ascii").splitlines()[2] for file in pki.glob("*.key")]
    assert len(tokens) >= 2
    assert len(keys) >= 2
    return tokens + keys


def _paths(lab: LabEnv, folder: Path) -> tuple[str, ...]:
    return (str(folder), str(lab.kubeconfig_admin), str(lab.kubeconfig_admin.parent))
