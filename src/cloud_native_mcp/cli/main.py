"""Entry of the command line. Exit codes: 0 done, 1 the call or check failed, 2 wrong usage or configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cloud_native_mcp import __version__
from cloud_native_mcp.cli import access, audit, auth, call, config, health, keys, serve, stdio, tools
from cloud_native_mcp.cli.output import complain
from cloud_native_mcp.errors import ConfigError, ServiceDefinitionError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="cloud-native-mcp",
    help="MCP server between LLM agents and a cloud-native estate: Kubernetes, Prometheus and more.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("stdio")(stdio.stdio)
app.command("tools")(tools.tools)
app.command("call")(call.call)
app.command("health")(health.health)
app.add_typer(config.app, name="config")
app.add_typer(access.app, name="access")
app.add_typer(audit.app, name="audit")
app.add_typer(auth.app, name="auth")
app.add_typer(keys.app, name="keys")


def _show_version(asked: bool) -> None:  # noqa: FBT001 - the callback of a flag
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """MCP server between LLM agents and a cloud-native estate: Kubernetes, Prometheus and more."""
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit the process."""
    try:
        app(args=arguments, prog_name="cloud-native-mcp")
    except ConfigError as error:
        count = len(error.problems)
        complain(f"the configuration has {count} problem{'s' if count > 1 else ''}:")
        for problem in error.problems:
            complain(f"  {problem.path}: {problem.text}")
        sys.exit(2)
    except ServiceDefinitionError as error:
        complain(str(error))
        sys.exit(2)
