"""The table of servers."""

from __future__ import annotations

import pytest

from lab import LabError
from lab.servers import BY_NAME, GROUPS, SERVERS, select


def test_every_server_starts_after_those_it_needs() -> None:
    started: set[str] = set()
    for server in SERVERS:
        assert started.issuperset(server.needs), server.name
        started.add(server.name)


def test_no_two_servers_share_the_name_of_a_port() -> None:
    ports = [port for server in SERVERS for port in server.ports]
    assert len(ports) == len(set(ports))


def test_a_chosen_server_brings_along_what_it_needs() -> None:
    assert [server.name for server in select(["kwok"])] == ["etcd", "kube-apiserver", "kwok"]


def test_a_group_stands_for_its_members() -> None:
    assert {server.name for server in select(["base"])} == set(GROUPS["base"])


def test_no_choice_means_everything() -> None:
    assert [server.name for server in select([])] == list(BY_NAME)


def test_an_unknown_server_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabError, match=r"grafana; known: etcd, .*base"):
        select(["grafana"])
