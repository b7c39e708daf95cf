"""Versions and ranges, judged as Helm judges them."""

from __future__ import annotations

import pytest

from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.helm.charts.versions import newest_first, parse_range, parse_version


def takes(text: str, version: str, *, devel: bool = False) -> bool:
    parsed = parse_version(version)
    assert parsed is not None
    return parse_range(text).takes(parsed, devel=devel)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("", "0.0.1 9.9.9", "1.0.0-rc.1"),
        ("*", "0.0.1 9.9.9", "1.0.0-rc.1"),
        ("1.2.3", "1.2.3 v1.2.3", "1.2.4 1.2.2 1.2.3-rc.1"),
        ("v1.2.3", "1.2.3", "1.2.4"),
        ("1.2", "1.2.0 1.2.9", "1.3.0 1.1.9 1.3.0-rc.1"),
        ("1.2.x", "1.2.0 1.2.9", "1.3.0"),
        ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.9"),
        ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0.0", "0.0.0 0.0.9", "0.1.0"),
        ("^1", "1.0.0 1.9.9", "2.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
        ("~1", "1.0.0 1.9.9", "2.0.0"),
        ("~> 1.2", "1.2.0 1.2.5", "1.3.0"),
        (">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9"),
        (">1.2.3", "1.2.4", "1.2.3"),
        (">=1.2", "1.2.0", "1.1.9"),
        ("<1.2", "1.1.9", "1.2.0"),
        ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
        ("=< 1.2.3", "1.2.3", "1.2.4"),
        ("!=1.2.3", "1.2.2 1.2.4", "1.2.3"),
        ("!=1.2", "1.1.9 1.3.0", "1.2.0 1.2.7"),
        (">=1.0 <2.0", "1.0.0 1.9.9", "2.0.0 0.9.0"),
        (">= 1.0, < 2.0", "1.0.0 1.9.9", "2.0.0 0.9.0"),
        ("1.0 - 2.0.0", "1.0.0 2.0.0", "0.9.0 2.0.1"),
        ("^1.0 || ^3.0", "1.5.0 3.1.0", "2.0.0"),
        ("^1.0-0", "1.1.0", "2.0.0"),
        (">=1.0.0-0", "1.0.0-rc.1 1.0.0 2.0.0-beta", "0.9.9"),
        ("1.0.0-rc.1", "1.0.0-rc.1", "1.0.0 1.0.0-rc.2"),
    ],
)
def test_a_range_takes_the_versions_inside_it(text: str, inside: str, outside: str) -> None:
    assert [version for version in inside.split() if not takes(text, version)] == []
    assert [version for version in outside.split() if takes(text, version)] == []


def test_devel_takes_pre_releases_too() -> None:
    assert takes("", "2.0.0-rc.1", devel=True)
    assert takes("^1.0", "1.5.0-rc.1", devel=True)
    assert not takes("^1.0", "2.0.0-rc.1", devel=True)


@pytest.mark.parametrize("text", ["latest", "1.2.3.4", ">=", "^^1", "1.2.3 &&", "a" * 300])
def test_what_is_no_range_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidArgument, match="version: "):
        parse_range(text)


def test_versions_are_ordered_by_precedence_not_by_letters() -> None:
    texts = ["1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0", "v1.11", "nightly"]
    assert newest_first(texts) == ["2.0.0", "2.0.0-rc.1", "v1.11", "1.10.0", "1.9.0", "nightly"]
