"""A service on the lab's cluster, as its administrator and as users with fewer rights.

Which service it is says the fixture `backend` of each folder of tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.services.kubernetes.clusters import NOBODY_LISTENS, clusters, kubeconfig_of
from tests.services.kubernetes.scratch import Scratch, scratch_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from lab import LabEnv
    from tests.calls import Desk


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask the lab's cluster."""
    for item in items:
        here = item.path.is_relative_to(Path(__file__).parent)
        if here and isinstance(item, pytest.Function) and "lab" in item.fixturenames:
            item.add_marker(pytest.mark.lab)


@pytest.fixture
async def cluster(backend: str, lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service as an administrator of the lab's cluster."""
    async with clusters(service=backend, lab=lab.kubeconfig_admin) as running:
        yield running


@pytest.fixture
def scratch(lab: LabEnv) -> Generator[Scratch]:
    """A namespace of the test's own."""
    with scratch_in(Path(lab["LAB_STATE"])) as made:
        yield made


@pytest.fixture
async def viewer(backend: str, lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service as a user who may read everything but Secrets and RBAC."""
    async with clusters(service=backend, lab=lab.kubeconfig_viewer) as running:
        yield running


@pytest.fixture
async def nobody(backend: str, lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service as a user without rights."""
    async with clusters(service=backend, lab=lab.kubeconfig_nobody) as running:
        yield running


@pytest.fixture
def dead() -> Generator[Path]:
    """A kubeconfig of a cluster that does not answer."""
    with kubeconfig_of(NOBODY_LISTENS) as path:
        yield path


@pytest.fixture
async def half_dead(backend: str, lab: LabEnv, dead: Path) -> AsyncGenerator[Desk]:
    """The service with the lab's cluster and a dead one."""
    async with clusters(service=backend, lab=lab.kubeconfig_admin, dead=dead) as running:
        yield running
