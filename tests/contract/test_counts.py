"""Numbers of things in words."""

from __future__ import annotations

from cloud_native_mcp.contract.counts import number_of


def test_one_thing_is_not_several() -> None:
    assert [number_of(count, "object") for count in (0, 1, 2)] == ["0 objects", "1 object", "2 objects"]
    assert [number_of(1, "pod", of=of) for of in (1, 3)] == ["1 of 1 pod", "1 of 3 pods"]
