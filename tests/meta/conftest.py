"""What the tests about the project share."""

from __future__ import annotations

import pytest

from tests.meta.proofs import Proof, collect


@pytest.fixture(scope="session")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> list[Proof]:
    """Every test that carries a promise."""
    return collect(tmp_path_factory.mktemp("proofs") / "proofs.json")
