"""Where `prometheus_find` looks: time range, selectors and search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.labels import NAME
from cloud_native_mcp.services.prometheus.numbers import parameter
from cloud_native_mcp.services.prometheus.ranges import window
from cloud_native_mcp.services.prometheus.selectors import Selector, matcher, parse_selector

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from cloud_native_mcp.contract.times import TimeRange
    from cloud_native_mcp.response.expressions import Search
    from cloud_native_mcp.services.prometheus.catalogue import Catalogue
    from cloud_native_mcp.services.prometheus.client import Params


@dataclass(frozen=True, slots=True)
class Scope:
    """A catalogue seen through a range, selectors and a search.

    ``times`` are the range's ends as the caller wrote them: they, not the moving present, name what is kept.
    """

    catalogue: Catalogue
    times: tuple[str, str]
    span: TimeRange
    match: Sequence[str]
    search: Search | None

    def key(self, what: str, *more: Hashable) -> Hashable:
        """Names the answer for the cache."""
        return (what, self.times, tuple(self.match), self.search.text if self.search else "", *more)

    def params(self, selectors: Sequence[str]) -> Params:
        """The range and selectors as parameters."""
        times = [("start", parameter(self.span.start)), ("end", parameter(self.span.end))]
        return [*(("match[]", text) for text in selectors), *times]

    def selectors_with_search(self) -> list[str]:
        """The selectors, each with the search as a condition on the metric's name, so that the backend filters.

        Raises:
            InvalidArgument: ``bad_selector``.
        """
        if self.search is None or self.search.finds(""):
            return list(self.match)
        named = matcher(NAME, "=~", self.search.anchored, field="search")
        given = [parse_selector(text, field="match") for text in self.match] or [Selector(())]
        return [selector.and_also(named).text() for selector in given]

    def asked(self, what: str) -> Asked:
        """The request in words."""
        return Asked(f"{what} {self.describe()}", bad_data="bad_selector", alternative="this backend does not list it")

    def describe(self) -> str:
        """The range and filters in words."""
        said = [f"between {rfc3339(self.span.start)} and {rfc3339(self.span.end)}"]
        if self.match:
            said.append(f"matching {' or '.join(self.match)}")
        if self.search is not None:
            said.append(f"with search {self.search.text!a}")
        return ", ".join(said)

    def nothing(self, what: str, *, hint: str = "") -> ToolError:
        """``no_data`` with what was looked for."""
        name = self.catalogue.backend.name
        return ToolError("no_data", f"prometheus target {name}: no {what} {self.describe()}{hint}", kind="fix")


def scope(catalogue: Catalogue, *, start: str, end: str, match: Sequence[str], search: Search | None) -> Scope:
    """The scope of a call."""
    return Scope(catalogue, (start, end), window(start, end), match, search)
