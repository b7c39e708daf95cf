from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.secrets.sealing import SealBroken, Sealer, SealExpired
from cloud_native_mcp.secrets.state_key import StateKeys
from tests.promises import promise

OLD, NEW = b"o" * 32, b"n" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@given(payload=st.dictionaries(st.text(), JSON, max_size=4), binding=st.binary())
def test_what_was_sealed_opens_unchanged_under_its_binding(payload: dict[str, object], binding: bytes) -> None:
    sealer = Sealer(StateKeys([NEW]), "cursor")
    assert sealer.open(sealer.seal(payload, binding=binding, ttl=60), binding=binding) == payload


@promise("B17")
@promise("S15")
def test_another_binding_opens_nothing() -> None:
    sealer = Sealer(StateKeys([NEW]), "cursor")
    text = sealer.seal({"at": 5}, binding=b"alice", ttl=60)
    with pytest.raises(SealBroken):
        sealer.open(text, binding=b"bob")


@promise("B17")
def test_another_purpose_or_key_opens_nothing() -> None:
    text = Sealer(StateKeys([NEW]), "cursor").seal({}, binding=b"", ttl=60)
    for other in (Sealer(StateKeys([NEW]), "confirm"), Sealer(StateKeys([OLD]), "cursor")):
        with pytest.raises(SealBroken):
            other.open(text, binding=b"")


@promise("B17")
def test_a_changed_bit_anywhere_breaks_the_seal() -> None:
    sealer = Sealer(StateKeys([NEW]), "cursor")
    text = sealer.seal({"at": 5}, binding=b"", ttl=60)
    sealed = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for position in range(len(sealed)):
        sealed[position] ^= 1
        with pytest.raises(SealBroken):
            sealer.open(base64.urlsafe_b64encode(bytes(sealed)).decode(), binding=b"")
        sealed[position] ^= 1


@promise("B17")
@given(text=st.text() | st.text(string.ascii_letters + string.digits + "-_", max_size=200))
def test_arbitrary_text_is_never_opened(text: str) -> None:
    with pytest.raises(SealBroken):
        Sealer(StateKeys([NEW]), "cursor").open(text, binding=b"")


def test_an_oversized_text_is_refused_unread() -> None:
    with pytest.raises(SealBroken):
        Sealer(StateKeys([NEW]), "cursor").open("A" * 100_000, binding=b"")


@promise("B17")
def test_a_seal_opens_until_its_time_and_not_after() -> None:
    clock = Clock()
    sealer = Sealer(StateKeys([NEW]), "cursor", clock=clock)
    text = sealer.seal({"at": 5}, binding=b"", ttl=60)
    clock.now += 59
    assert sealer.open(text, binding=b"") == {"at": 5}
    clock.now += 1
    with pytest.raises(SealExpired):
        sealer.open(text, binding=b"")


def test_a_rotated_ring_opens_what_the_old_key_sealed_and_seals_with_the_new_one() -> None:
    before, after = Sealer(StateKeys([OLD]), "cursor"), Sealer(StateKeys([NEW, OLD]), "cursor")
    assert after.open(before.seal({"at": 1}, binding=b"", ttl=60), binding=b"") == {"at": 1}
    with pytest.raises(SealBroken):
        before.open(after.seal({"at": 2}, binding=b"", ttl=60), binding=b"")


def test_the_payload_cannot_be_read_in_the_text() -> None:
    text = Sealer(StateKeys([NEW]), "cursor").seal({"token": "canary" * 10}, binding=b"", ttl=60)
    assert b"canary" not in base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
