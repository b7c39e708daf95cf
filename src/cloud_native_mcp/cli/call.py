"""``cloud-native-mcp call``: one tool call through the server's own pipeline, as the person at the terminal."""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cloud_native_mcp.cli.options import ConfigOption, EffectsOption, JsonOption, SetOption, settings_from
from cloud_native_mcp.cli.output import complain, say, say_json
from cloud_native_mcp.contract.principal import LOCAL
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.request import AGGREGATE, CallRequest, Client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.app import App
    from cloud_native_mcp.routing.request import CallAnswer


def call(
    tool: Annotated[str, typer.Argument(help="Name of the tool, such as prometheus_query.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE…", help="Arguments; NAME:=JSON gives a list, number or object."),
    ] = None,
    config: ConfigOption = None,
    effects: EffectsOption = None,
    assignments: SetOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Call a tool and print its answer. Exit code 1 when the answer is an error.

    A tool that destroys shows its plan first. A person at a terminal is asked; elsewhere confirm=CODE carries it out,
    where server.state_key is set: without it a code is good for its own process only.
    """
    from cloud_native_mcp.cli.running import run_in_app

    given = parse_arguments(arguments or ())
    settings = settings_from(config, assignments, effects=effects)

    async def work(app: App) -> CallAnswer:
        answer = await _call(app, tool, given)
        if not answer.confirm or json or not sys.stdin.isatty():
            return answer
        await asyncio.to_thread(_ask, answer)
        return await _call(app, tool, given, consent=answer.confirm)

    try:
        answer = run_in_app(settings, work, quiet=True)
    except ToolError as error:
        complain(error.text)
        raise typer.Exit(1) from None
    if json:
        say_json({"content": list(answer.content), "isError": answer.is_error})
    else:
        for text in _texts(answer):
            (complain if answer.is_error else say)(text)
    if answer.confirm and settings.server.state_key is None:
        complain("that code is good for this process only, which has ended: set server.state_key to use codes here")
    if answer.is_error or answer.needs_person:
        raise typer.Exit(1)


def parse_arguments(arguments: Sequence[str]) -> dict[str, object]:
    """Arguments as a client would send them.

    Raises:
        typer.BadParameter: one is malformed or given twice.
    """
    given: dict[str, object] = {}
    for argument in arguments:
        name, sign, text = argument.partition("=")
        as_json = name.endswith(":")
        name = name.removesuffix(":")
        if not sign or not name:
            raise typer.BadParameter(f"{argument!r}: write NAME=VALUE, or NAME:=JSON")
        if name in given:
            raise typer.BadParameter(f"{name} is given twice")
        try:
            given[name] = orjson.loads(text) if as_json else text
        except orjson.JSONDecodeError:
            raise typer.BadParameter(f"{name}: not JSON; write {name}=VALUE for text") from None
    return given


def _ask(plan: CallAnswer) -> None:
    """Show the plan to the person at the terminal and ask.

    Raises:
        typer.Abort: the answer was not yes.
    """
    for text in _texts(plan):
        complain(text)
    typer.confirm("Do it?", default=False, abort=True, err=True)


async def _call(app: App, tool: str, arguments: Mapping[str, object], *, consent: str = "") -> CallAnswer:
    request = CallRequest(
        endpoint=AGGREGATE,
        tool=tool,
        arguments=arguments,
        principal=LOCAL,
        client=Client(door="cli"),
        progress=_show_progress,
        request_id=uuid.uuid4().hex,
        consent=consent,
    )
    try:
        return await app.door.call(request)
    except ToolError as error:
        names = [
            str(listed["name"]) for name in app.door.endpoints for listed in app.door.list_tools(name, LOCAL).tools
        ]
        near = nearest(tool, names, 1)
        hint = f"did you mean {near[0]}?" if near else "`cloud-native-mcp tools` lists them"
        raise ToolError(error.code, f"{error.text}; {hint}") from None


async def _show_progress(done: float, total: float | None = None, message: str | None = None) -> None:
    complain(f"… {done:g}{f' of {total:g}' if total is not None else ''} {message or ''}".rstrip())


def _texts(answer: CallAnswer) -> list[str]:
    """The parts of an answer as a terminal can show them."""
    return [
        str(part["text"]) if part.get("type") == "text" else f"({part.get('type')}, {part.get('mimeType')})"
        for part in answer.content
    ]
