"""Objects as a diagnosis reads them: the fields that tell of trouble.

Source: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta

if TYPE_CHECKING:
    from collections.abc import Iterable

HASH_LABEL: Final = "pod-template-hash"


def moment(text: str | None) -> datetime | None:
    """A time of the API."""
    return datetime.fromisoformat(text) if text else None


class Condition(msgspec.Struct, gc=False, rename="camel"):
    """One condition of a status."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None

    @property
    def since(self) -> datetime | None:
        """When it last changed."""
        return moment(self.last_transition_time)


def condition(conditions: Iterable[Condition] | None, kind: str) -> Condition:
    """The condition of that type, or one that says nothing."""
    return next((one for one in conditions or () if one.type == kind), Condition())


class Waiting(msgspec.Struct, gc=False):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""


class Terminated(msgspec.Struct, gc=False, rename="camel"):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    finished_at: str | None = None

    @property
    def when(self) -> datetime | None:
        """When it ended."""
        return moment(self.finished_at)


class State(msgspec.Struct, gc=False):
    """What a container does, or did before."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, gc=False, rename="camel"):
    """A container as its kubelet reports it."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: State = msgspec.field(default_factory=State)
    last_state: State = msgspec.field(default_factory=State)


class Port(msgspec.Struct, gc=False, rename="camel"):
    """A port that a container says it listens on."""

    name: str = ""
    container_port: int = 0


class Probe(msgspec.Struct, gc=False):
    """A probe, of which only that it is there matters."""


class Container(msgspec.Struct, gc=False, rename="camel"):
    """A container of a pod."""

    name: str = ""
    image: str = ""
    ports: list[Port] | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    restart_policy: str = ""


class _ClaimSource(msgspec.Struct, gc=False, rename="camel"):
    claim_name: str = ""


class Volume(msgspec.Struct, gc=False, rename="camel"):
    """A volume of a pod, as far as it is a claim."""

    persistent_volume_claim: _ClaimSource | None = None


class _Gate(msgspec.Struct, gc=False):
    name: str = ""


class PodSpec(msgspec.Struct, gc=False, rename="camel"):
    """What a pod is to be."""

    containers: list[Container] = []
    init_containers: list[Container] = []
    volumes: list[Volume] = []
    node_name: str = ""
    scheduler_name: str = ""
    scheduling_gates: list[_Gate] = []


class PodStatus(msgspec.Struct, gc=False, rename="camel"):
    """What became of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    init_container_statuses: list[ContainerStatus] = []
    container_statuses: list[ContainerStatus] = []


class Pod(msgspec.Struct, gc=False):
    """A pod."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return condition(self.status.conditions, "Ready").status == "True"

    @property
    def claims(self) -> list[str]:
        """Names of the claims it mounts."""
        return [one.persistent_volume_claim.claim_name for one in self.spec.volumes if one.persistent_volume_claim]


class _Statuses(msgspec.Struct, gc=False):
    conditions: list[Condition] | None = None


class Conditioned(msgspec.Struct, gc=False):
    """An object of any kind with conditions."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: _Statuses = msgspec.field(default_factory=_Statuses)
