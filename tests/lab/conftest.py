"""Fixtures of the lab's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.kubectl import Kubectl

if TYPE_CHECKING:
    from lab import LabEnv


@pytest.fixture(scope="session")
def kubectl(lab: LabEnv) -> Kubectl:
    """kubectl as administrator of the shared lab; tests only read there."""
    return Kubectl.admin(lab)
