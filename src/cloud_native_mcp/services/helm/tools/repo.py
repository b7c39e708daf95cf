"""``helm_repo``: read indexes again, or change the list of repositories.

Format: https://helm.sh/docs/topics/chart_repository/.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.result import Budget, Result, Table
from cloud_native_mcp.contract.together import together
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.charts.downloads import DOWNLOAD_ERRORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.helm.charts.repository import Repository
    from cloud_native_mcp.services.helm.service import HelmService

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)
_FITS: Final = {"update": frozenset({"name"}), "add": frozenset({"name", "url", "auth"}), "remove": frozenset({"name"})}


class RepoArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``helm_repo``."""

    action: Annotated[Literal["update", "add", "remove"], Meta(description="What to do")]
    name: Annotated[str, Meta(description="Repository name; update: omit for all")] | UnsetType = UNSET
    url: Annotated[str, Meta(description="add: https:// or oci:// address")] | UnsetType = UNSET
    auth: Annotated[str, Meta(description="add: name of a configured credential")] | UnsetType = UNSET


@tool(
    "repo",
    args=RepoArgs,
    effect=Effect.WRITE,
    timeout="slow",
    has_target=False,
    open_world=True,
    untrusted=True,
    budget=Budget(usual=4_000),
    description="Refresh repository indexes, or add or remove a chart repository of this server.",
    own_errors={
        "not_an_index": "the address has no index of charts",
        "fixed_by_config": "the operator fixed the list, or that repository",
        "name_taken": "another repository has that name",
        **DOWNLOAD_ERRORS,
    },
)
async def change_repositories(call: Call[HelmService], args: RepoArgs) -> Result:
    """Refresh all or one, add one that answers, or remove one that was added."""
    for argument in ("name", "url", "auth"):
        if argument in call.given and argument not in _FITS[args.action]:
            raise InvalidArgument(argument, f"does not go with action={args.action}")
    match args.action:
        case "add":
            return await _add(call, args)
        case "remove":
            name = _name(args)
            await call.service.charts.repositories.remove(name)
            return Result(header=f"removed repository {name}")
        case "update":
            known = call.service.charts.repositories
            chosen = [await known.named(_name(args), field="name")] if args.name is not UNSET else await known.all()
            return await _update(call, chosen)


TOOLS = (change_repositories,)


async def _add(call: Call[HelmService], args: RepoArgs) -> Result:
    name = _name(args)
    if not args.url:
        raise InvalidArgument("url", "action=add needs the address of the repository")
    charts = call.service.charts
    auth = args.auth if args.auth is not UNSET else ""
    proposed = charts.repositories.proposed(name, args.url, auth)
    row = await _refreshed(call, proposed)
    await charts.repositories.add(proposed, auth)
    return Result(header=f"added repository {name}, {proposed.url}", blocks=[_table([row])])


async def _update(call: Call[HelmService], chosen: Sequence[Repository]) -> Result:
    rows = await together(*(_row(call, one) for one in chosen))
    notes = [] if chosen else ["no repository is configured"]
    return Result(header="read again", blocks=[_table(rows)] if rows else [], notes=notes)


async def _row(call: Call[HelmService], repository: Repository) -> tuple[Cell, ...]:
    try:
        return await _refreshed(call, repository)
    except ToolError as error:
        return repository.name, f"failed: {error.code}: {error.text}", None, None, None


async def _refreshed(call: Call[HelmService], repository: Repository) -> tuple[Cell, ...]:
    """What reading a repository anew came to.

    Raises:
        ToolError: as `Indexes.get` and `Registries.refresh`.
    """
    charts = call.service.charts
    began = time.monotonic()
    if repository.is_registry:
        await charts.registries.refresh(repository, deadline=call.deadline)
        return repository.name, "answers; its charts cannot be listed", None, None, _ms(began)
    kept = await charts.indexes.refresh(repository, deadline=call.deadline)
    outcome = "unchanged" if kept.unchanged else "refreshed"
    if kept.index.skipped:
        outcome = f"{outcome}; {kept.index.skipped} entries are not what the format says"
    return repository.name, outcome, len(kept.index.charts), kept.size, _ms(began)


def _table(rows: Sequence[tuple[Cell, ...]]) -> Table:
    columns = ("REPOSITORY", "OUTCOME", "CHARTS", "BYTES", "MS")
    return Table(columns, rows, untrusted=True, source="repositories")


def _name(args: RepoArgs) -> str:
    name = args.name or ""
    if _NAME.fullmatch(name) is None:
        text = f"{name[:80]!a} is no name of a repository: letters, digits, '.', '_' and '-', at most 63"
        raise InvalidArgument("name", text)
    return name


def _ms(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
