"""Ports of the lab."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab import ports

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

NAMES = ("etcd", "etcd-peer", "kube-apiserver")


@contextmanager
def listener(port: int) -> Generator[None]:
    """Somebody else's server on a port."""
    with socket.create_server((ports.HOST, port)):
        yield


def test_every_name_gets_a_port_of_its_own_below_the_ephemeral_range(tmp_path: Path) -> None:
    given = ports.allocate(NAMES, tmp_path / "ports.json")
    assert set(given) == set(NAMES)
    assert len(set(given.values())) == len(NAMES)
    assert all(ports.LOWEST <= port < ports.EPHEMERAL for port in given.values())


def test_recorded_ports_are_given_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.allocate(NAMES, file)
    assert ports.allocate(NAMES, file) == first
    assert ports.load(file) == first


def test_a_recorded_port_that_somebody_took_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.allocate(NAMES, file)
    with listener(first["etcd"]):
        second = ports.allocate(NAMES, file)
    assert second["etcd"] != first["etcd"]
    assert {name: second[name] for name in NAMES[1:]} == {name: first[name] for name in NAMES[1:]}


def test_the_port_of_a_running_server_is_kept_although_it_is_busy(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.allocate(NAMES, file)
    with listener(first["etcd"]):
        assert ports.allocate(NAMES, file, in_use=["etcd"]) == first


def test_a_later_name_joins_without_moving_the_earlier_ones(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.allocate(NAMES, file)
    both = ports.allocate(["prometheus"], file)
    assert {name: both[name] for name in NAMES} == first
    assert both["prometheus"] not in first.values()
