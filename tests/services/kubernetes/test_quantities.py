"""Quantities as numbers, and numbers as people read them."""

from __future__ import annotations

import pytest

from cloud_native_mcp.services.kubernetes.quantities import parse_quantity, show_cpu, show_memory, show_share


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", 0.25),
        ("2", 2.0),
        (3, 3.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("100n", 1e-7),
        ("7u", 7e-6),
        ("1k", 1e3),
        ("12M", 12e6),
        ("64Mi", 64 * 2**20),
        ("1Gi", 2**30),
        ("4Ti", 4 * 2**40),
        ("1e3", 1e3),
        ("1E3", 1e3),
        ("2E", 2e18),
        ("-3", -3.0),
        (" 1Gi ", 2**30),
    ],
)
def test_a_quantity_is_read_as_the_number_it_means(text: object, number: float) -> None:
    assert parse_quantity(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "abc", "1KiB", "1 Gi", "1ki", "--1", None, True, [], "1e", "0x10"])
def test_what_is_no_quantity_has_no_number(text: object) -> None:
    assert parse_quantity(text) is None


def test_numbers_are_shown_in_small_units() -> None:
    assert (show_cpu(0.25), show_cpu(None), show_memory(64 * 2**20), show_memory(None)) == ("250m", "-", "64Mi", "-")
    assert (show_share(1, 4), show_share(None, 4), show_share(1, 0), show_share(1, None)) == ("25%", "-", "-", "-")
