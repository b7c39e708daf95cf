"""Which service the tests of this folder are about."""

from __future__ import annotations

import pytest


@pytest.fixture
def backend() -> str:
    """The name of the service."""
    return "helm"
