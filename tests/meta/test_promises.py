"""Every promise of a landed milestone has a test, and every id a test names exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.promises import PER_SERVICE, PROMISES, promise
from tools.lists import services

if TYPE_CHECKING:
    from tests.meta.proofs import Proof


def test_every_landed_promise_is_proven(proofs: list[Proof]) -> None:
    proven = {proof.promise for proof in proofs}
    missing = [f"{row.id} {row.text}" for row in PROMISES.values() if not row.pending and row.id not in proven]
    assert missing == []


def test_every_promise_given_per_service_is_proven_for_each_service_with_backends(proofs: list[Proof]) -> None:
    proven = {(proof.promise, proof.service) for proof in proofs}
    names = [service.spec.name for service in services() if service.has_backends]
    needed = {(row, name) for row in PER_SERVICE if not PROMISES[row].pending for name in names}
    assert sorted(needed - proven) == []


def test_no_proof_is_skipped_or_expected_to_fail(proofs: list[Proof]) -> None:
    assert [proof.test for proof in proofs if proof.skipped] == []


def test_every_mark_names_a_promise_and_a_service_that_exist(proofs: list[Proof]) -> None:
    names = {service.spec.name for service in services()}
    unknown = [p for p in proofs if p.promise not in PROMISES or (p.service is not None and p.service not in names)]
    assert unknown == []


def test_an_unknown_promise_cannot_be_named() -> None:
    with pytest.raises(KeyError):
        promise("Z1")
