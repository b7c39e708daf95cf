"""Names: of metrics with type and help, of labels, and the values of one label."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.prometheus.answers import Reply
from cloud_native_mcp.services.prometheus.catalogue import metadata_of
from cloud_native_mcp.services.prometheus.labels import NAME, plain_label
from cloud_native_mcp.services.prometheus.paging import page_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.services.prometheus.answers import Metadata
    from cloud_native_mcp.services.prometheus.find_views.scope import Scope

_HELP: Final = 120
_COUNTED: Final = 20
"""Labels up to here are shown with the number of their values."""
_PARALLEL: Final = 4
_SHORT: Final = re.compile(r"[^a-zA-Z0-9_]|^[0-9]|_")


async def metrics(scope: Scope, *, after: str, limit: int) -> Result:
    """Metric names with type, unit and the beginning of their help."""

    async def load() -> list[str]:
        return await _values(scope, NAME, scope.selectors_with_search())

    names = await scope.catalogue.kept(scope.key("metrics"), load)
    if scope.search is not None:
        names = await scope.search.among(names)
    if not names:
        raise scope.nothing("metrics")
    shown, page = page_after(names, after, limit, narrow="search or match")
    known, partial = await _known(scope)
    rows = [_metric_row(name, known) for name in shown]
    backend = scope.catalogue.backend.name
    table = Table(["METRIC", "TYPE", "UNIT", "HELP"], rows, untrusted=True, source=f"prometheus {backend} metadata")
    header = f"{backend}: {number_of(len(names), 'metric')} {scope.describe()}"
    return Result(header=header, blocks=[table], page=page, partial=partial)


async def labels(scope: Scope, *, after: str, limit: int) -> Result:
    """Label names; with how many values each has, where they are few."""
    names = await _labels(scope)
    if scope.search is not None:
        names = await scope.search.among(names)
    if not names:
        raise scope.nothing("labels")
    shown, page = page_after(names, after, limit, narrow="search or match")
    header = f"{scope.catalogue.backend.name}: {number_of(len(names), 'label')} {scope.describe()}"
    if len(names) > _COUNTED:
        notes = [f"numbers of values are shown for up to {_COUNTED} labels"]
        return Result(header=header, blocks=[Table(["LABEL"], [[name] for name in shown])], page=page, notes=notes)
    counts = await _counts(scope, shown)
    rows = [[name, count] for name, count in zip(shown, counts, strict=True)]
    return Result(header=header, blocks=[Table(["LABEL", "VALUES"], rows)], page=page)


async def values(scope: Scope, label: str, *, after: str, limit: int) -> Result:
    """The values of one label, sorted."""

    async def load() -> list[str]:
        return await _values(scope, label, scope.match)

    found = await scope.catalogue.kept(scope.key("values", label), load)
    if scope.search is not None:
        found = await scope.search.among(found)
    if not found:
        near = [name for name in nearest(label, await _labels(scope)) if name != label]
        raise scope.nothing(f"values of {label!a}", hint=f"; near labels: {', '.join(near)}" if near else "")
    shown, page = page_after(found, after, limit, narrow="search or match")
    header = f"{scope.catalogue.backend.name}: {number_of(len(found), 'value')} of {label} {scope.describe()}"
    return Result(header=header, blocks=[Table(["VALUE"], [[value] for value in shown])], page=page)


def path_name(label: str) -> str:
    """A label name as it stands in a path: names of other characters in the ``U__`` escaped form (Prometheus 3.0)."""
    if plain_label(label) and not label.startswith("U__"):
        return label
    return "U__" + _SHORT.sub(lambda match: "__" if match[0] == "_" else f"_{ord(match[0]):x}_", label)


async def _labels(scope: Scope) -> list[str]:
    """All label names."""

    async def load() -> list[str]:
        client, params = scope.catalogue.backend.client, scope.params(scope.match)
        asked = scope.asked("label names")
        reply = await client.get("/labels", Reply[list[str]], asked, deadline=scope.catalogue.deadline, params=params)
        return sorted(reply.data or [])

    return await scope.catalogue.kept(scope.key("labels"), load)


async def _values(scope: Scope, label: str, selectors: Sequence[str]) -> list[str]:
    """All values of a label. No limit is sent: servers cut before they sort, so that pages would miss values."""
    client = scope.catalogue.backend.client
    what = "metric names" if label == NAME else f"values of {label!a}"
    reply = await client.get(
        f"/label/{path_name(label)}/values",
        Reply[list[str]],
        scope.asked(what),
        deadline=scope.catalogue.deadline,
        params=scope.params(selectors),
    )
    return sorted(reply.data or [])


async def _counts(scope: Scope, names: Sequence[str]) -> list[int]:
    seats = asyncio.Semaphore(_PARALLEL)

    async def count(name: str) -> int:
        async def load() -> list[str]:
            return await _values(scope, name, scope.match)

        async with seats:
            return len(await scope.catalogue.kept(scope.key("values", name), load))

    return await together(*(count(name) for name in names))


async def _known(scope: Scope) -> tuple[dict[str, Metadata], list[str]]:
    """Types and helps; names are shown without them where the backend has none."""
    try:
        return await scope.catalogue.metadata(), []
    except BackendError as error:
        return {}, [f"types and help: {error.text}"]


def _metric_row(name: str, known: dict[str, Metadata]) -> list[str | None]:
    entry = metadata_of(name, known)
    if entry is None:
        return [name, None, None, None]
    over = len(entry.help) - _HELP
    text = entry.help if over <= 0 else f"{entry.help[:_HELP]}…(+{over})"
    return [name, entry.type or None, entry.unit or None, text or None]
