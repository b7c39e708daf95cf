"""``utilities_time``: the clock, conversions, and differences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Text
from cloud_native_mcp.contract.times import format_age, parse_instant, rfc3339
from cloud_native_mcp.contract.tool import Args, tool

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.utilities.service import UtilitiesService

Format = Literal["all", "rfc3339", "unix", "unix_ms", "date", "time"]


class TimeArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``utilities_time``."""

    time: Annotated[str, Meta(description="Time or expression")] = "now"
    timezone: Annotated[str, Meta(description="IANA zone, e.g. Europe/Berlin")] = "UTC"
    to: Annotated[str, Meta(description="Second time: answers the difference")] | UnsetType = UNSET
    format: Annotated[Format, Meta(description="Output")] = "all"


@tool(
    "time",
    args=TimeArgs,
    effect=Effect.READ,
    description="Current time, or convert a time or expression (now-2h, Unix seconds or ms, RFC 3339) between zones "
    "and formats; difference between two times.",
    toolset="core",
    budget=Budget(1_000, 1_000),
    own_errors={"unknown_timezone": "no such time zone"},
)
async def time(call: Call[UtilitiesService], args: TimeArgs) -> Result:
    """Show a time, or two and their difference."""
    zone = call.service.zones.find(args.timezone)
    now = datetime.now(UTC).replace(microsecond=0)
    first = _in_zone(parse_instant(args.time, field="time", now=now), zone)
    facts: dict[str, object] = dict(_forms(first))
    if args.to is UNSET:
        return _shown(first, args.format, facts)
    second = _in_zone(parse_instant(args.to, field="to", now=now), zone)
    return _difference(first, second, args.format, facts)


def _shown(moment: datetime, form: Format, facts: dict[str, object]) -> Result:
    if form != "all":
        return Result(header=_forms(moment)[form], facts=facts)
    return Result(header=rfc3339(moment), blocks=[Text(_lines(moment))], facts=facts)


def _difference(first: datetime, second: datetime, form: Format, facts: dict[str, object]) -> Result:
    span = second - first
    facts |= {"to": dict(_forms(second)), "difference_seconds": span.total_seconds()}
    difference = f"difference: {_seconds(span)} s ({_in_words(span)})"
    if form != "all":
        return Result(header=f"{_forms(first)[form]} to {_forms(second)[form]} · {difference}", facts=facts)
    blocks = [Text(_lines(first), title="from"), Text(_lines(second), title="to")]
    return Result(header=difference, blocks=blocks, facts=facts)


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def _forms(moment: datetime) -> dict[str, str]:
    """The time in every form, exact to the millisecond."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = since // timedelta(milliseconds=1)
    clock = moment.strftime("%H:%M:%S")
    return {
        "rfc3339": rfc3339(moment),
        "unix": str(milliseconds // 1000),
        "unix_ms": str(milliseconds),
        "date": moment.date().isoformat(),
        "time": f"{clock} {_offset(moment)}",
    }


def _lines(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    forms = _forms(moment)
    zone = f"{moment.tzinfo} ({moment.tzname()}, UTC{_offset(moment)})"
    lines = {
        "rfc3339": forms["rfc3339"],
        "unix": forms["unix"],
        "unix_ms": forms["unix_ms"],
        "date": forms["date"],
        "weekday": moment.strftime("%A"),
        "iso_week": f"{year}-W{week:02}",
        "zone": zone,
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def _offset(moment: datetime) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    sign = "-" if seconds < 0 else "+"
    hours, rest = divmod(abs(seconds), 3600)
    return f"{sign}{hours:02}:{rest // 60:02}"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.3f}".rstrip("0").rstrip(".")


def _in_words(span: timedelta) -> str:
    if not span:
        return "the same time"
    return f"{format_age(abs(span))} {'later' if span > timedelta() else 'earlier'}"


TOOLS = (time,)
