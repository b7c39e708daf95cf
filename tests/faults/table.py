"""The services under fault. A new service adds one entry to `SERVICES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.helm import HELM
from tests.faults.kubernetes import KUBERNETES
from tests.faults.prometheus import PROMETHEUS
from tests.promises import promise

if TYPE_CHECKING:
    from tests.faults.service import FaultyService

SERVICES: tuple[FaultyService, ...] = (KUBERNETES, HELM, PROMETHEUS)


def every_service(number: str) -> pytest.MarkDecorator:
    """Run a test for each service, as a proof of the promise for that service."""
    cases = [
        pytest.param(service, id=service.name, marks=promise(number, service=service.name)) for service in SERVICES
    ]
    return pytest.mark.parametrize("service", cases)
