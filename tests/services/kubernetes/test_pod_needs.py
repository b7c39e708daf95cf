"""What pods ask for and may use, as the scheduler counts it."""

from __future__ import annotations

from typing import Any

import msgspec

from cloud_native_mcp.services.kubernetes.resource_use.pods import PodNeeds, PodRecord, needs_of
from cloud_native_mcp.services.kubernetes.resource_use.rows import Amount, total, total_bound, use_fits

MI = 2**20


def container(name: str, cpu: str = "", memory: str = "", *, limit: str = "", **more: object) -> dict[str, object]:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    limits = {"cpu": limit} if limit else {}
    return {"name": name, "resources": {"requests": requests, "limits": limits}, **more}


def needs(spec: dict[str, object], **status: Any) -> PodNeeds:
    pod = {"metadata": {"name": "p", "namespace": "n"}, "spec": spec, "status": status}
    return needs_of(msgspec.convert(pod, PodRecord))


def test_containers_are_added_up() -> None:
    found = needs({"containers": [container("a", "100m", "64Mi", limit="1"), container("b", "50m", limit="2")]})
    assert found.request == Amount(0.15000000000000002, 64 * MI)
    assert found.limit == Amount(3.0, None)
    assert [one.name for one in found.containers] == ["a", "b"]


def test_one_container_without_limit_leaves_the_pod_without() -> None:
    assert needs({"containers": [container("a", limit="1"), container("b")]}).limit.cpu is None


def test_starting_counts_when_it_takes_more_than_running() -> None:
    spec: dict[str, object] = {"containers": [container("a", "100m")], "initContainers": [container("i", "500m")]}
    assert needs(spec).request.cpu == 0.5
    spec["initContainers"] = [container("i", "50m")]
    assert needs(spec).request.cpu == 0.1


def test_a_sidecar_runs_along_and_beside_later_init_containers() -> None:
    sidecar = container("s", "200m", restartPolicy="Always")
    found = needs({"containers": [container("a", "100m")], "initContainers": [sidecar, container("i", "500m")]})
    assert found.request.cpu == 0.7
    assert [one.name for one in found.containers] == ["a", "s"]
    before = needs({"containers": [container("a", "400m")], "initContainers": [container("i", "500m"), sidecar]})
    assert before.request.cpu == 0.6000000000000001


def test_what_the_pod_states_as_a_whole_wins_and_overhead_is_added() -> None:
    spec: dict[str, object] = {
        "containers": [container("a", "100m"), container("b")],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}},
        "overhead": {"cpu": "250m"},
    }
    found = needs(spec)
    assert found.request == Amount(1.25, 1024 * MI)
    assert found.limit == Amount(2.25, None)
    assert not found.lacks_requests


def test_a_resize_in_place_that_is_not_given_back_yet_still_counts() -> None:
    statuses = [
        {
            "name": "a",
            "restartCount": 2,
            "allocatedResources": {"cpu": "300m"},
            "resources": {"limits": {"cpu": "900m"}},
        }
    ]
    found = needs({"containers": [container("a", "100m", limit="500m")]}, containerStatuses=statuses)
    assert (found.request.cpu, found.limit.cpu, found.restarts) == (0.3, 0.9, 2)


def test_lacking_requests_is_told_for_cpu_and_for_memory() -> None:
    assert needs({"containers": [container("a", "100m")]}).lacks_requests
    assert needs({"containers": [container("a", "1", "1Gi"), container("b")]}).lacks_requests
    assert not needs({"containers": [container("a", "1", "1Gi")]}).lacks_requests


def test_claims_are_those_of_volumes_and_of_ephemeral_ones() -> None:
    volumes: list[object] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
        {"name": "tmp", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "x", "emptyDir": {}},
    ]
    assert needs({"containers": [], "volumes": volumes}).claims == ["d", "p-tmp"]


def test_null_lists_are_empty_ones() -> None:
    found = needs({"containers": None, "initContainers": None, "volumes": None}, containerStatuses=None)
    assert (found.request, found.limit, found.containers) == (Amount(), Amount(), [])


def test_sums_tell_unknown_from_nothing() -> None:
    assert total([]) == Amount()
    assert total([Amount(1.0, None), Amount(None, None), Amount(2.0, 5.0)]) == Amount(3.0, 5.0)
    assert total_bound([Amount(1.0, 2.0), Amount(1.0, None)]) == Amount(2.0, None)
    assert total_bound([]) == Amount()


def test_rows_are_told_by_shares_of_limit_and_request() -> None:
    assert use_fits(Amount(0.8, 1.0), Amount(1.0, 1.0), Amount(1.0, None)) == {"near_limit"}
    assert use_fits(Amount(0.79, 1.0), Amount(1.0, 1.0), Amount(1.0, None)) == set()
    assert use_fits(Amount(0.01, 1.0), Amount(1.0, 1.0), Amount()) == {"overprovisioned", "idle"}
    assert use_fits(Amount(1.0, 0.2), Amount(1.0, 1.0), Amount()) == {"overprovisioned"}
    assert use_fits(Amount(0.004, 1.0), Amount(), Amount()) == {"idle"}
    assert use_fits(Amount(), Amount(1.0, 1.0), Amount(1.0, 1.0)) == set()
