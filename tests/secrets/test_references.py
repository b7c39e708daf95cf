from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.secrets.references import SETTLE_S, SecretStore
from cloud_native_mcp.secrets.whole_file import MAX_FILE_BYTES, write_whole
from tests.limits.clock import Clock
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


@promise("F25")
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
        os.utime(path, ns=(2_000, 2_000))
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


@promise("F25")
def test_a_value_written_in_two_halves_is_taken_up_once_the_file_lies_still(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    clock = Clock()
    path, store = tmp_path / "token", SecretStore({}, clock=clock)
    _rewrite(path, "old", at=0)
    store.read(f"file:{path}")
    _rewrite(path, "half of", at=int(clock() * 1e9))
    assert store.read(f"file:{path}") == "old"
    clock.advance(SETTLE_S / 2)
    _rewrite(path, "half of and the rest", at=int(clock() * 1e9))
    clock.advance(SETTLE_S / 2)
    assert store.read(f"file:{path}") == "old"
    clock.advance(SETTLE_S / 2)
    assert store.read(f"file:{path}") == "half of and the rest"
    assert [record.getMessage() for record in caplog.records] == [f"secret file:{path}: the new value is in use"]


@promise("F25")
def test_a_secret_that_a_kubelet_mounts_is_followed_through_its_swapped_links(tmp_path: Path) -> None:
    """A mounted Secret is a link into ``..data``, itself a link to a folder that is replaced in one step."""
    store, reference = SecretStore({}), f"file:{tmp_path / 'token'}"
    for number, value in enumerate(("first", "other")):
        folder = tmp_path / f"..2026_11_2{number}"
        folder.mkdir()
        _rewrite(folder / "token", value, at=1_000)
        (tmp_path / "..data_tmp").symlink_to(folder.name)
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        if number == 0:
            (tmp_path / "token").symlink_to("..data/token")
        assert store.read(reference) == value


@promise("F25")
@pytest.mark.parametrize("instead", ["folder", "loop", "pipe", "large"])
def test_what_takes_the_place_of_a_file_and_is_none_leaves_the_value_in_use(
    tmp_path: Path, instead: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, store = tmp_path / "token", SecretStore({})
    _rewrite(path, "kept", at=1_000)
    store.read(f"file:{path}")
    path.unlink()
    match instead:
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case "pipe":
            os.mkfifo(path)
        case _:
            _rewrite(path, "x" * (MAX_FILE_BYTES + 1), at=2_000)
    assert store.read(f"file:{path}") == "kept"
    (record,) = caplog.records
    assert "the value read before stays in use" in record.getMessage()


def test_a_file_is_replaced_whole_readable_by_its_owner_only_and_where_its_link_leads(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o644)
    link.symlink_to(real)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), real.stat().st_mode & 0o777) == (b"new", 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_file_that_cannot_be_replaced_is_as_it_was_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    (occupied / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_whole(occupied, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["occupied"]
