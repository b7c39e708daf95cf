"""The demo's server is configured for one folder and one key."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from tools.demo.server import USUAL_PORT, Address, choose_address, write_configuration

if TYPE_CHECKING:
    from pathlib import Path


def test_an_address_is_found_also_when_the_usual_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", USUAL_PORT))
            taken.listen()
        except OSError:
            pass  # somebody else has taken it: as good
        address = choose_address()
    assert address.port != USUAL_PORT
    assert address.key != choose_address().key


def test_the_key_is_in_a_file_of_its_own_that_only_the_user_reads(tmp_path: Path) -> None:
    written = write_configuration(tmp_path, Address(4711, "k" * 32), {"prometheus": {}})
    assert "k" * 32 not in written.read_text(encoding="utf-8")
    assert json.loads(written.read_text(encoding="utf-8"))["server"]["port"] == 4711
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
