"""``cloud-native-mcp audit``: read the records of this machine's server."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from cloud_native_mcp.cli.options import ConfigOption, JsonOption, SetOption, settings_from
from cloud_native_mcp.cli.output import complain, say, say_json, say_table
from cloud_native_mcp.contract.json_values import as_list
from cloud_native_mcp.response.clean import clean_line

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from cloud_native_mcp.audit.reader import AuditReader

app = typer.Typer(help="Read the records of calls.", no_args_is_help=True)

_COLUMNS = ("TIME", "PRINCIPAL", "TOOL", "EFFECT", "TARGETS", "OUTCOME", "CODE", "MS")
_PAUSE_S = 0.5

_From = Annotated[str, typer.Option("--from", metavar="TIME", help="Since when, such as now-1h or 2026-01-31T08:00Z.")]
_To = Annotated[str, typer.Option("--to", metavar="TIME", help="Until when.")]
_Where = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=VALUE]…",
        help="principal, service, tool, effect, outcome, code, stage or request; commas between alternatives, * for "
        "any text.",
    ),
]


@app.command("query")
def query(
    where: _Where = None,
    *,
    since: _From = "",
    until: _To = "",
    limit: Annotated[int, typer.Option("--limit", help="Records shown, 1,000 at most.")] = 100,
    cursor: Annotated[str, typer.Option("--cursor", help="Where the page before ended.")] = "",
    config: ConfigOption = None,
    assignments: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Show calls, newest first. A call that began and has no end on record has the outcome `unknown`."""
    from cloud_native_mcp.audit.question import question_of

    question = question_of(_given(where, since, until) | {"limit": str(limit), "cursor": cursor})
    with _readable(config, assignments) as reader:
        found = reader.find(question)
    if json:
        say_json({"records": found.records, "cursor": None if found.cursor is None else str(found.cursor)})
        return
    say_table(_COLUMNS, [_row(record) for record in found.records])
    if found.cursor is not None:
        complain(f"there are more; go on with --cursor {found.cursor}")


@app.command("stats")
def stats(
    where: _Where = None,
    *,
    since: _From = "",
    until: _To = "",
    config: ConfigOption = None,
    assignments: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Count calls by outcome, effect, service, tool, principal and code."""
    from cloud_native_mcp.audit.question import question_of

    question = question_of(_given(where, since, until))
    with _readable(config, assignments) as reader:
        counted = reader.count(question)
    if json:
        say_json(counted)
        return
    say(f"{counted['total']} calls, {counted['failure_rate']:.1%} without success")
    rows = [(name, clean_line(key), str(many)) for name, names in counted["by"].items() for key, many in names.items()]
    say_table(("BY", "VALUE", "CALLS"), rows)


@app.command("tail")
def tail(
    *,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, max=1_000, help="Records to begin with.")] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Show the newest records as JSON lines, oldest first, the beginnings of writes with them."""
    with _readable(config, assignments) as reader:
        try:
            last = _shown(reader.last(lines), 0)
            while follow:
                time.sleep(_PAUSE_S)
                last = _shown(reader.after(last), last)
        except (KeyboardInterrupt, BrokenPipeError):
            raise typer.Exit(0) from None


def _shown(found: Sequence[tuple[int, str]], last: int) -> int:
    """Print the lines; the number of the last one."""
    for _, line in found:
        say(line)
    sys.stdout.flush()  # who reads a pipe waits for it
    return found[-1][0] if found else last


@contextmanager
def _readable(config: Path | None, assignments: list[str] | None) -> Generator[AuditReader]:
    """The reader of the configured database; what it cannot do ends the command with exit code 1."""
    from cloud_native_mcp.audit.reader import AuditReader, AuditUnreadable

    settings = settings_from(config, assignments).audit
    if settings.database_path is None:
        place = f"; {settings.file} holds them as JSON lines" if settings.file is not None else ""
        complain(f"records are not kept in a database (audit.database){place}")
        raise typer.Exit(2)
    try:
        yield AuditReader(settings.database_path)
    except AuditUnreadable as error:
        complain(f"the audit cannot be read: {error}")
        raise typer.Exit(1) from None


def _given(where: Sequence[str] | None, since: str, until: str) -> dict[str, str]:
    given = {"from": since, "to": until}
    for part in where or ():
        name, sign, value = part.partition("=")
        if not sign:
            raise typer.BadParameter(f"{part!r}: write NAME=VALUE")
        given[name] = value
    return given


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("time", "principal", "tool", "effect", "targets", "outcome", "code", "ms")
    return tuple(_cell(record.get(name, "")) for name in names)


def _cell(value: object) -> str:
    text = ",".join(map(str, as_list(cast("object", value)))) if isinstance(value, list) else str(value)
    return clean_line(text)  # a caller chose the name of the tool: nothing of it may steer a terminal
