"""``cloud-native-mcp access explain``: whether a caller may do something, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cloud_native_mcp.cli.call import parse_arguments
from cloud_native_mcp.cli.options import ConfigOption, EffectsOption, JsonOption, SetOption, listed, settings_from
from cloud_native_mcp.cli.output import say, say_json
from cloud_native_mcp.contract.principal import LOCAL, Principal

if TYPE_CHECKING:
    from cloud_native_mcp.app import App
    from cloud_native_mcp.routing.permissions.explanation import Explanation

app = typer.Typer(help="Who may do what.", no_args_is_help=True)

_Groups = Annotated[str, typer.Option("--groups", metavar="LIST", help="Groups of the caller, comma-separated.")]
_Scopes = Annotated[
    str | None, typer.Option("--scopes", metavar="LIST", help="Scopes of its credential, comma-separated.")
]


@app.command("explain")
def explain(
    principal: Annotated[str, typer.Argument(help="Id of the caller; `local` is the person at the terminal.")],
    tool: Annotated[str, typer.Argument(help="Name of the tool, such as kubernetes_scale.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]…", help="Arguments of the call, as of `call`.")
    ] = None,
    *,
    groups: _Groups = "",
    scopes: _Scopes = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    effects: EffectsOption = None,
    json: JsonOption = False,
) -> None:
    """Say whether a caller may make a call, and which rules decide; no backend is asked.

    The groups of an API key are those of the configuration unless --groups names others. Exit code 0: allowed, 1: not.
    What a cluster's own rights and fence keep back comes on top.
    """
    from cloud_native_mcp.cli.running import run_in_app

    settings = settings_from(config, assignments, effects=effects)
    key = settings.auth.api_keys.get(principal)
    known = key.groups if key is not None else ()
    caller = Principal(
        id=principal,
        method="api_key",
        groups=listed(groups) or known,
        scopes=listed(scopes) if scopes is not None else None,
    )
    asked = LOCAL if principal == LOCAL.id else caller
    given = parse_arguments(arguments or ())

    async def work(app: App) -> Explanation:
        return app.explain(asked, tool, given)

    found = run_in_app(settings, work, quiet=True)
    if json:
        say_json({"allowed": found.allowed, "code": found.code, "reasons": list(found.reasons)})
    else:
        say(f"{'allowed' if found.allowed else f'refused: {found.code}'}")
        for reason in found.reasons:
            say(f"  {reason}")
    if not found.allowed:
        raise typer.Exit(1)
