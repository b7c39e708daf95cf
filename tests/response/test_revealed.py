"""A value that is shown in clear is shown to the byte, inside its envelope, and by one tool only."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.contract.result import Result, Revealed
from tests.response.rendering import shown
from tests.response.test_envelope import ATTACKS

SOURCE = Path(__file__).resolve().parents[2] / "src"
SHOWN = re.compile(
    r'\Akey \((?P<size>\d+) bytes(?P<shape>[^)]*)\)\n<untrusted source="Secret a/b">\n(?P<body>.*)\n</untrusted>\Z',
    re.DOTALL,
)


def read_back(value: bytes) -> bytes:
    """The value as a reader of the answer would take it."""
    found = SHOWN.match(shown(Result(blocks=[Revealed("key", value, source="Secret a/b")])))
    assert found is not None
    assert int(found["size"]) == len(value)
    if found["shape"] == ", as base64":
        return base64.b64decode(found["body"])
    return (found["body"] + ("\n" if found["shape"] == ", ends with a newline" else "")).encode()


@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_value_can_be_read_back_to_the_byte(value: bytes) -> None:
    assert read_back(value) == value


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_value_cannot_leave_its_envelope(attack: str) -> None:
    text = shown(Result(blocks=[Revealed("key", attack.encode(), source="Secret a/b")]))
    assert text.count("untrusted>") == 1
    assert read_back(attack.encode()) == attack.encode()


def test_one_tool_only_reveals() -> None:
    users = [path.stem for path in SOURCE.rglob("*.py") if re.search(r"\bRevealed\(", path.read_text(encoding="utf-8"))]
    assert users == ["secret_reveal"]
