"""Events of both generations, and the folding of repeats."""

from __future__ import annotations

import msgspec
import pytest

from cloud_native_mcp.services.kubernetes.event_records import EventRecord, fold, group_events, workload_of


def event(**fields: object) -> EventRecord:
    """An event as the API sends it."""
    return msgspec.convert(fields, EventRecord)


def test_the_time_of_an_event_is_the_newest_the_api_tells() -> None:
    old, mid, new = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00.123456Z"
    assert event(series={"count": 2, "lastObservedTime": new}, lastTimestamp=mid).last.minute == 2
    assert event(lastTimestamp=mid, eventTime=old).last.minute == 1
    assert event(eventTime=mid, metadata={"creationTimestamp": old}).last.minute == 1
    assert event(metadata={"creationTimestamp": mid}).last.minute == 1
    assert event().last.year == 1970


@pytest.mark.parametrize(
    ("fields", "count"),
    [({}, 1), ({"count": 5}, 5), ({"series": {"count": 17}}, 17), ({"series": {"count": 17}, "count": 1}, 17)],
)
def test_an_event_counts_by_its_series_then_its_count_else_once(fields: dict[str, object], count: int) -> None:
    assert event(**fields).times == count


def test_the_writer_of_an_event_is_its_source_else_its_reporter() -> None:
    assert event(source={"component": "kubelet"}, reportingComponent="other").component == "kubelet"
    assert event(source={}, reportingComponent="operator").component == "operator"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Started pod web-ff8858566-d8nzw", "Started pod web-7d949d7f55-slt8w"),
        ("probe failed: statuscode: 503", "probe failed: statuscode: 500"),
        ("dial tcp 10.0.0.1:8080: timeout", "dial tcp 10.9.0.1:80: timeout"),
        ("pulled in 1.2s (12MB)", "pulled in 34.5s (1GB)"),
        ("pod x(d4646229-164c-4275-acff-35fd79664245)", "pod x(a1646229-164c-4275-acff-35fd79664246)"),
        ("(combined from similar events): Scaled down", "Scaled down"),
    ],
)
def test_messages_that_differ_in_numbers_hashes_and_addresses_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_messages_that_say_different_things_stay_apart() -> None:
    assert fold("Error: ErrImagePull") != fold("Error: ImagePullBackOff")


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("web-ff8858566-d8nzw", "web"),
        ("front-door-6cb4857f4-d9qdg", "front-door"),
        ("agent-5jlk8", "agent"),
        ("db-0", "db"),
        ("shop-db-12", "shop-db"),
        ("toolbox", "toolbox"),
        ("my-toolbox", "my-toolbox"),
    ],
)
def test_the_workload_of_a_pod_is_its_name_without_what_controllers_add(pod: str, workload: str) -> None:
    assert workload_of(pod) == workload


def test_repeats_become_one_group_with_their_sum_their_span_and_their_objects() -> None:
    def unready(pod: str, minute: int, count: int) -> EventRecord:
        at = f"2026-01-01T00:{minute:02}:00Z"
        return event(involvedObject={"name": pod}, reason="Unhealthy", count=count, firstTimestamp=at, lastTimestamp=at)

    groups = group_events([unready("a", 5, 2), unready("b", 9, 3), unready("a", 1, 1)], owner=lambda _: "")
    assert len(groups) == 1
    only = groups[0]
    assert (only.count, only.first.minute, only.last.minute, only.objects) == (6, 1, 9, {"a", "b"})
    assert only.newest.involved_object.name == "b"


def test_groups_come_newest_first_and_owners_apart() -> None:
    first = event(involvedObject={"name": "a"}, reason="X", lastTimestamp="2026-01-01T00:00:00Z")
    second = event(involvedObject={"name": "b"}, reason="X", lastTimestamp="2026-01-02T00:00:00Z")
    groups = group_events([first, second], owner=lambda one: one.involved_object.name)
    assert [group.newest.involved_object.name for group in groups] == ["b", "a"]
