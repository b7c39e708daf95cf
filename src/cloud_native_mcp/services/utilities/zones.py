"""Time zones by the names people write."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Zones:
    """The IANA zones this machine knows; letter case is ignored, spaces count as underscores."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.lower(): name for name in names} | {"utc": "UTC", "z": "UTC"}

    def find(self, name: str) -> ZoneInfo:
        """The zone of that name.

        Raises:
            ToolError: ``unknown_timezone``, with near names.
        """
        known = self._names.get(name.strip().lower().replace(" ", "_"))
        if known is None:
            near = nearest(name, self._names.values()) or self._cities(name)
            hint = f"did you mean {', '.join(near)}?" if near else "give an IANA name such as Europe/Berlin, or UTC"
            raise ToolError("unknown_timezone", f"timezone: no zone {name[:60]!a}; {hint}", kind="fix")
        return ZoneInfo(known)

    def _cities(self, name: str) -> list[str]:
        """Zones whose last part looks like the name."""
        cities = {zone.rpartition("/")[2].lower(): zone for zone in self._names.values()}
        return [cities[city] for city in nearest(name.lower(), cities)]
