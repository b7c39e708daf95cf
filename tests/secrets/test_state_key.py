from __future__ import annotations

import pytest

from cloud_native_mcp.secrets.state_key import StateKeys

KEY, OTHER = b"k" * 32, b"o" * 40


def test_each_purpose_has_its_own_key_and_each_node_the_same() -> None:
    keys = StateKeys([KEY, OTHER])
    derived = keys.derive("cursor")
    assert derived == StateKeys([KEY, OTHER]).derive("cursor")
    assert [len(key) for key in derived] == [32, 32]
    assert len({*derived, *keys.derive("confirm"), KEY, OTHER}) == 6


def test_equal_values_show_equal_digests_only_under_the_same_key() -> None:
    digest = StateKeys([KEY]).digest("secret")
    assert digest(b"value") == StateKeys([KEY, OTHER]).digest("secret")(b"value")
    others = {digest(b"value2"), StateKeys([OTHER]).digest("secret")(b"value"), StateKeys([KEY]).digest("x")(b"value")}
    assert digest(b"value") not in others
    assert len(digest(b"value")) == 10


def test_two_random_rings_share_nothing() -> None:
    assert StateKeys.random().derive("cursor") != StateKeys.random().derive("cursor")


@pytest.mark.parametrize("keys", [[], [b"short"], [KEY, b"k" * 31]])
def test_a_short_or_missing_key_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        StateKeys(keys)
