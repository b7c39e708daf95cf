"""Settings: the loaded configuration, command-line flags and features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str
from cloud_native_mcp.contract.result import Page, Result, Table, Text
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.yaml import dump, load_one
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.prometheus.answers import LoadedConfig, Reply
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.masking import configuration

if TYPE_CHECKING:
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.prometheus.catalogue import Catalogue

_PARTS: Final = {
    "remote_write": "url",
    "remote_read": "url",
    "rule_files": "",
    "scrape_config_files": "",
}
_HOW_FOUND: Final = "_sd_configs"


async def config(catalogue: Catalogue, *, path: str, limit: int) -> Result:
    """An outline of the configuration, or the part at a path (``scrape_configs``, ``global.scrape_interval``, a job).

    Raises:
        InvalidArgument: no such part; near names are given.
    """
    whole = as_dict(configuration(await catalogue.kept("config", lambda: _load(catalogue))))
    name = catalogue.backend.name
    if path:
        part = _part(whole, path)
        return Result(header=f"{name}: configuration at {path}", blocks=[_yaml(part)])
    jobs = [as_dict(job) for job in as_list(whole.get("scrape_configs"))]
    rows = [_job_row(job) for job in jobs[:limit]]
    blocks = [_yaml(_outline(whole), title="outline")]
    tables = [Table(["JOB", "EVERY", "SCHEME", "PATH", "FOUND BY"], rows, title="scrape jobs")] if rows else []
    page = Page(resume=None, total=len(jobs), narrow="limit, or path with a job name") if rows else None
    header = f"{name}: loaded configuration, {len(jobs)} scrape jobs; path shows a part"
    return Result(header=header, blocks=[*blocks, *tables], page=page)


async def flags(catalogue: Catalogue, *, search: str, limit: int) -> Result:
    """Command-line flags with their values."""

    async def load() -> dict[str, str]:
        asked = Asked("flags", alternative="this backend does not tell its flags")
        client = catalogue.backend.client
        reply = await client.get("/status/flags", Reply[dict[str, str]], asked, deadline=catalogue.deadline)
        return reply.data or {}

    found = await catalogue.kept("flags", load)
    rows: list[list[Cell]] = [
        [name, as_str(configuration(value, name))]
        for name, value in sorted(found.items())
        if _fits(search, name, value)
    ]
    return _table(catalogue, ["FLAG", "VALUE"], rows, what="flags", search=search, limit=limit)


async def features(catalogue: Catalogue, *, search: str, limit: int) -> Result:
    """What the server can do, by group."""

    async def load() -> dict[str, dict[str, bool]]:
        asked = Asked("features", alternative="this version does not list them; view=flags shows enable-feature")
        shape = Reply[dict[str, dict[str, bool]]]
        reply = await catalogue.backend.client.get("/features", shape, asked, deadline=catalogue.deadline)
        return reply.data or {}

    found = await catalogue.kept("features", load)
    rows: list[list[Cell]] = [
        [group, name, enabled]
        for group, entries in sorted(found.items())
        for name, enabled in sorted(entries.items())
        if _fits(search, group, name)
    ]
    return _table(catalogue, ["GROUP", "FEATURE", "ENABLED"], rows, what="features", search=search, limit=limit)


async def _load(catalogue: Catalogue) -> object:
    asked = Asked("configuration", alternative="this backend does not tell its configuration")
    client = catalogue.backend.client
    reply = await client.get("/status/config", Reply[LoadedConfig], asked, deadline=catalogue.deadline)
    text = reply.data.yaml if reply.data else ""
    try:
        return load_one(text, field="configuration") or {}
    except InvalidArgument as error:
        target = catalogue.backend.name
        raise BackendError("bad_answer", f"prometheus target {target}: {error.text}") from error


def _table(
    catalogue: Catalogue, columns: list[str], rows: list[list[Cell]], *, what: str, search: str, limit: int
) -> Result:
    name = catalogue.backend.name
    if not rows:
        raise ToolError("not_found", f"prometheus target {name}: no {what} with search {search!a}")
    filtered = f" with search {search!a}" if search else ""
    return Result(
        header=f"{name}: {len(rows)} {what}{filtered}",
        blocks=[Table(columns, rows[:limit])],
        page=Page(resume=None, total=len(rows), narrow="search or limit"),
    )


def _yaml(value: object, *, title: str = "") -> Text:
    """A part of the configuration; its secrets are masked already."""
    return Text(dump(value).rstrip("\n"), title=title)


def _fits(search: str, *texts: str) -> bool:
    wanted = search.casefold()
    return not wanted or any(wanted in text.casefold() for text in texts)


def _outline(whole: dict[str, object]) -> dict[str, object]:
    """The global section as it is, and the size of every other."""
    shown: dict[str, object] = {"global": whole.get("global", {})}
    for name, value in whole.items():
        if name == "global":
            continue
        entries = as_list(value)
        if name in _PARTS:
            key = _PARTS[name]
            shown[name] = [as_str(as_dict(entry).get(key)) if key else entry for entry in entries]
        elif entries:
            shown[name] = f"{len(entries)} entries"
        else:
            shown[name] = f"{len(as_dict(value))} settings"
    return shown


def _job_row(job: dict[str, object]) -> list[Cell]:
    found = [name.removesuffix("_configs") for name in job if name.endswith(_HOW_FOUND)]
    static = sum(len(as_list(as_dict(group).get("targets"))) for group in as_list(job.get("static_configs")))
    found += [f"{static} static targets"] if static else []
    texts = [as_str(job.get(name)) for name in ("job_name", "scrape_interval", "scheme", "metrics_path")]
    return [*texts, ", ".join(found) or None]


def _part(whole: dict[str, object], path: str) -> object:
    """A job by its name, or what a dotted path leads to; list entries by number or by their name."""
    jobs = {as_str(as_dict(job).get("job_name")): job for job in as_list(whole.get("scrape_configs"))}
    if path in jobs:
        return jobs[path]
    value: object = whole
    for step in path.split("."):
        names = _names(value)
        if step not in names:
            known = list(names) + (list(jobs) if value is whole else [])
            near = nearest(step, known) or known[:8]
            hint = f"; near: {', '.join(near)}" if near else ""
            raise InvalidArgument("path", f"{step!a} is not a part of the configuration{hint}")
        value = names[step]
    return value


def _names(value: object) -> dict[str, object]:
    if entries := as_dict(value):
        return entries
    named = ("job_name", "name")
    found: dict[str, object] = {}
    for at, entry in enumerate(as_list(value)):
        found[str(at)] = entry
        for key in named:
            if name := as_str(as_dict(entry).get(key)):
                found[name] = entry
    return found
