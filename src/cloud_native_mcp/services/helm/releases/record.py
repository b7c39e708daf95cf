"""One revision of a release: what its labels tell, and the body that Helm keeps with it.

Format: https://helm.sh/docs/topics/advanced/#storage-backends; the body is base64 of gzip of JSON.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.inflate import GZIP, InflateError, inflate

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta

MOST_BYTES: Final = 32_000_000
"""Bytes of one decoded body."""
BROKEN_AFTER: Final = timedelta(minutes=10)
"""How long an operation may be pending before it counts as broken off."""
PENDING: Final = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
_MOVING: Final = PENDING | {"uninstalling"}
_OWN_LABELS: Final = frozenset({"owner", "name", "status", "version", "createdAt", "modifiedAt"})


@dataclass(frozen=True, slots=True)
class Record:
    """One revision, as the metadata of its Secret or ConfigMap tells it."""

    object_name: str
    namespace: str
    name: str
    revision: int
    status: str
    created: datetime
    uid: str
    version: str
    labels: dict[str, str]

    @property
    def identity(self) -> tuple[str, str]:
        """The very object in this version: what was decoded of it stays true."""
        return self.uid, self.version

    @property
    def age(self) -> timedelta:
        """How long ago the revision was made."""
        return datetime.now(UTC) - self.created

    @property
    def pending(self) -> bool:
        """Whether an operation is, or was when it broke off, under way."""
        return self.status in PENDING

    @property
    def broken(self) -> bool:
        """Failed, of unknown state, or under way for longer than an operation takes."""
        return self.status in {"failed", "unknown"} or (self.status in _MOVING and self.age > BROKEN_AFTER)


class ChartMetadata(msgspec.Struct, rename="camel", gc=False):
    """``Chart.yaml``, what is read of it (https://helm.sh/docs/topics/charts/#the-chartyaml-file)."""

    name: str = ""
    version: str = ""
    app_version: str | None = None
    description: str | None = None
    type: str | None = None
    kube_version: str | None = None
    deprecated: bool | None = None
    home: str | None = None
    sources: list[str] | None = None
    keywords: list[str] | None = None
    maintainers: list[dict[str, object]] | None = None
    dependencies: list[dict[str, object]] | None = None
    annotations: dict[str, str] | None = None


class Info(msgspec.Struct, gc=False):
    """What happened to a revision."""

    status: str = ""
    description: str = ""
    first_deployed: str | None = None
    last_deployed: str | None = None
    deleted: str | None = None


class FullInfo(Info, gc=False):
    """What happened to a revision, with the notes its chart has for the user."""

    notes: str = ""


class LastRun(msgspec.Struct, gc=False):
    """The last run of a hook."""

    started_at: str | None = None
    completed_at: str | None = None
    phase: str = ""


class Hook(msgspec.Struct, gc=False):
    """An object that is made at an event of the release."""

    name: str = ""
    kind: str = ""
    path: str = ""
    manifest: str = ""
    events: list[str] | None = None
    last_run: LastRun = msgspec.field(default_factory=LastRun)
    weight: int | None = None
    delete_policies: list[str] | None = None


class BriefChart(msgspec.Struct, gc=False):
    """The chart of a release without its files."""

    metadata: ChartMetadata = msgspec.field(default_factory=ChartMetadata)


class Brief(msgspec.Struct, gc=False):
    """A body without values, manifest and chart files: what lists show."""

    info: Info = msgspec.field(default_factory=Info)
    chart: BriefChart = msgspec.field(default_factory=BriefChart)

    @property
    def chart_label(self) -> str:
        """``web-1.2.3``."""
        return f"{self.chart.metadata.name}-{self.chart.metadata.version}"


class Chart(msgspec.Struct):
    """The chart of a release. Charts it depends on are not kept by Helm."""

    metadata: ChartMetadata = msgspec.field(default_factory=ChartMetadata)
    values: dict[str, object] | None = None


class Body(msgspec.Struct):
    """A whole body; ``config`` are the values of the user."""

    info: FullInfo = msgspec.field(default_factory=FullInfo)
    chart: Chart = msgspec.field(default_factory=Chart)
    config: dict[str, object] | None = None
    manifest: str = ""
    hooks: list[Hook] | None = None
    apply_method: str = ""


_BodyT = TypeVar("_BodyT", Brief, Body)


def record_of(metadata: ObjectMeta) -> Record | None:
    """The revision an object holds, or None when its labels do not tell one."""
    labels = metadata.labels
    number = labels.get("version", "")
    if not labels.get("name") or not number.isdecimal() or len(number) > 9:
        return None
    return Record(
        object_name=metadata.name,
        namespace=metadata.namespace,
        name=labels["name"],
        revision=int(number),
        status=labels.get("status", "unknown"),
        created=datetime.fromisoformat(metadata.creation_timestamp or "1970-01-01T00:00:00+00:00"),
        uid=metadata.uid,
        version=metadata.resource_version,
        labels={key: value for key, value in labels.items() if key not in _OWN_LABELS},
    )


def unpacked(stored: str) -> bytes:
    """The JSON of a stored body.

    Args:
        stored: the text under ``release``, which Helm made with base64 and gzip (old releases with base64 only).

    Raises:
        ToolError: ``decode_failed``, without any of the content.
    """
    try:
        packed = base64.b64decode(stored, validate=False)
    except (binascii.Error, ValueError) as error:
        raise _undecodable("is not base64") from error
    if not packed.startswith(GZIP):
        return packed
    try:
        return inflate(packed, most=MOST_BYTES)
    except InflateError as error:
        raise _undecodable(str(error)) from error


def brief_of(plain: bytes) -> Brief:
    """What lists show of a body."""
    return _decoded(plain, Brief)


def body_of(plain: bytes) -> Body:
    """A body."""
    return _decoded(plain, Body)


def _decoded(plain: bytes, kind: type[_BodyT]) -> _BodyT:
    try:
        return msgspec.json.decode(plain, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _undecodable("is not the JSON of a release") from error


def _undecodable(why: str) -> ToolError:
    return ToolError("decode_failed", f"the stored body of this revision {why}", kind="final")
