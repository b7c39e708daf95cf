"""The servers of the lab: add one by writing its class and naming it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.servers.chart_repository import ChartRepository
from lab.servers.etcd import Etcd
from lab.servers.kube_apiserver import KubeApiserver
from lab.servers.kube_controller_manager import KubeControllerManager
from lab.servers.kube_scheduler import KubeScheduler
from lab.servers.kwok import Kwok
from lab.servers.metrics_server import MetricsServer
from lab.servers.prometheus import Prometheus
from lab.servers.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.servers.contract import Server

# in the order they are started
SERVERS: tuple[Server, ...] = (
    Etcd(),
    KubeApiserver(),
    KubeControllerManager(),
    KubeScheduler(),
    Kwok(),
    MetricsServer(),
    Prometheus(),
    ChartRepository(),
    Registry(),
)
BY_NAME: dict[str, Server] = {server.name: server for server in SERVERS}
GROUPS: dict[str, tuple[str, ...]] = {
    "base": ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"),
}


def select(names: Iterable[str]) -> list[Server]:
    """The named servers and groups with everything they need, in starting order; all for no names."""
    wanted = {member for name in names for member in GROUPS.get(name, (name,))}
    unknown = sorted(wanted - BY_NAME.keys())
    if unknown:
        known = ", ".join([*BY_NAME, *GROUPS])
        raise LabError(f"no server of the lab is called {', '.join(unknown)}; known: {known}")
    if not wanted:
        return list(SERVERS)
    for server in reversed(SERVERS):
        if server.name in wanted:
            wanted.update(server.needs)
    return [server for server in SERVERS if server.name in wanted]
