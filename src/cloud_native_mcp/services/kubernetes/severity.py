"""How grave a finding of an audit or a diagnosis is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Severity = Literal["info", "warning", "critical"]
RANK: Final[Mapping[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}
"""The worst first."""
