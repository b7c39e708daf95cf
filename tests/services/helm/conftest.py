"""Which service the tests of this folder are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.helm.charts import shelves
from tests.services.helm.program import engine
from tests.services.kubernetes.clusters import clusters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from lab import LabEnv
    from tests.calls import Desk


@pytest.fixture
async def operator(lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service as an administrator of the lab's cluster, with the lab's Helm as its program."""
    async with clusters(service="helm", settings=engine(lab), lab=lab.kubeconfig_admin) as running:
        yield running


@pytest.fixture
def backend() -> str:
    """The name of the service."""
    return "helm"


@pytest.fixture
async def shelf(lab: LabEnv) -> AsyncGenerator[Desk]:
    """The service with the lab's chart repository and registry, as `lab` and `registry`."""
    async with clusters(service="helm", settings={"charts": shelves(lab)}, lab=lab.kubeconfig_nobody) as running:
        yield running
