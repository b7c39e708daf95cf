"""What watches the requests to backends (metrics), as this layer sees it."""

from __future__ import annotations

from typing import Protocol


class UpstreamObserver(Protocol):
    """Told of each attempt of each request."""

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """One attempt ended.

        Args:
            outcome: the status (``200``), or the error code when no whole answer came (``unreachable``, ``timeout``,
                ``bad_answer``, ``unknown_outcome``, ``cancelled``).
            seconds: from sending to the end of the attempt.
        """
        ...


class NoObserver:
    """Watches nothing."""

    def request(self, service: str, target: str, outcome: str, seconds: float) -> None:
        """Do nothing."""
