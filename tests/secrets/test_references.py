from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.secrets.references import MAX_FILE_BYTES, SecretStore
from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path


def _rewrite(path: Path, content: str, *, at: int) -> None:
    path.write_text(content, encoding="utf-8")
    os.utime(path, ns=(at, at))


def test_a_plain_value_is_the_secret_itself() -> None:
    assert SecretStore({}).read("correct horse") == "correct horse"


def test_a_variable_is_read_from_the_given_environment() -> None:
    assert SecretStore({"TOKEN": "t0ken"}).read("env:TOKEN") == "t0ken"


def test_a_file_is_read_without_its_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b" two words \r\n")
    assert SecretStore({}).read(f"file:{path}") == " two words "


@pytest.mark.parametrize(
    ("reference", "why"),
    [("env:ABSENT", "not set"), ("env:EMPTY", "empty"), ("file:/absent/token", "No such file"), ("", "empty")],
)
@promise("B20")
def test_a_missing_secret_is_refused_naming_the_reference(reference: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SecretStore({"EMPTY": ""}).read(reference)
    (problem,) = caught.value.problems
    assert problem.path == (reference or "secret")
    assert why in problem.text


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path, store = tmp_path / "token", SecretStore({})
    _rewrite(path, "old", at=1_000)
    assert store.read(f"file:{path}") == "old"
    _rewrite(path, "new", at=2_000)
    assert store.read(f"file:{path}") == "new"


@pytest.mark.parametrize("broken", ["", None, "\udc80"], ids=["empty", "missing", "not text"])
def test_a_file_that_breaks_leaves_the_last_whole_value_in_use(
    tmp_path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path, store = tmp_path / "token", SecretStore({})
    _rewrite(path, "kept", at=1_000)
    store.read(f"file:{path}")
    if broken is None:
        path.unlink()
    else:
        path.write_bytes(broken.encode("utf-8", "surrogateescape"))
    assert store.read(f"file:{path}") == "kept"
    assert store.read(f"file:{path}") == "kept"
    assert len(caplog.records) == 1
    assert "kept" not in caplog.text
    _rewrite(path, "new", at=3_000)
    assert store.read(f"file:{path}") == "new"


def test_what_is_not_an_ordinary_small_file_is_refused(tmp_path: Path) -> None:
    fifo, large = tmp_path / "fifo", tmp_path / "large"
    os.mkfifo(fifo)
    large.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    for path, why in ((fifo, "regular"), (large, "larger"), (tmp_path, "regular")):
        with pytest.raises(ConfigError, match=why):
            SecretStore({}).read(f"file:{path}")
