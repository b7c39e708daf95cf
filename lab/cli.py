"""The commands of `python -m lab`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab import facts, lifecycle, scale
from lab.errors import LabError
from lab.progress import Progress
from lab.state import State, default_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it succeeded, 1 with the reason on standard error when not."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        run: Callable[[argparse.Namespace], None] = options.run
        run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that a half-started lab is taken down."""
    del number, frame
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Real backends without containers.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument(
            "--state", type=Path, default=None, help="state folder (default: $CNMCP_LAB_STATE or the cache)"
        )
        sub.add_argument("--quiet", action="store_true", help="no progress lines")
        sub.set_defaults(run=run)
        return sub

    start = command("up", _up, "build what is missing, start everything, seed the scene")
    start.add_argument("--only", nargs="+", default=[], metavar="NAME", help="servers, groups (base), or scene")
    start.add_argument("--nodes", type=int, default=lifecycle.DEFAULT_NODES, help="how many nodes the lab has")
    stop = command("down", _down, "stop everything")
    stop.add_argument("--wipe", action="store_true", help="remove the state folder too")
    command("status", _status, "show the servers")
    command("reset", _reset, "bring the scene back to what was seeded")
    command("env", _env, "print the env file")
    build = command("build", _build, "build what is missing")
    build.add_argument("--only", nargs="+", default=[], metavar="NAME", help="what to build")
    load = command("scale", _scale, "fill a namespace with pods, or empty it again")
    load.add_argument("--pods", type=int, required=True, help="how many pods there shall be; 0 removes them")
    load.add_argument("--nodes", type=int, default=100, help="how many extra nodes carry them")
    load.add_argument("--namespace", default="scale", help="the namespace to fill")
    return parser


def _state(options: argparse.Namespace) -> State:
    chosen: Path | None = options.state
    return State((chosen or default_root()).expanduser().absolute())


def _progress(options: argparse.Namespace) -> Progress:
    return Progress(quiet=options.quiet)


def _up(options: argparse.Namespace) -> None:
    progress = _progress(options)
    start = time.monotonic()
    values = lifecycle.up(_state(options), only=options.only, nodes=options.nodes, progress=progress)
    progress.say(f"lab up in {time.monotonic() - start:.1f} s")
    print(facts.render(values), end="")


def _down(options: argparse.Namespace) -> None:
    stopped = lifecycle.down(_state(options), wipe=options.wipe)
    _progress(options).say(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def _status(options: argparse.Namespace) -> None:
    print(f"{'SERVER':26}{'PID':>8}  {'STATE':10}{'ADDRESS':18}LOG")
    for line in lifecycle.status(_state(options)):
        word = "ready" if line.ready else "stopped" if line.pid is None else "starting"
        print(f"{line.name:26}{line.pid or '-':>8}  {word:10}{line.address:18}{line.log}")


def _reset(options: argparse.Namespace) -> None:
    progress = _progress(options)
    start = time.monotonic()
    done = lifecycle.reset(_state(options), progress=progress)
    progress.say(f"{done} ({time.monotonic() - start:.1f} s)")


def _env(options: argparse.Namespace) -> None:
    print(facts.render(facts.environment(_state(options).root).values), end="")


def _build(options: argparse.Namespace) -> None:
    lifecycle.build(options.only, progress=_progress(options))


def _scale(options: argparse.Namespace) -> None:
    lab = lifecycle.attach(_state(options), progress=_progress(options))
    try:
        scale.fill(lab, pods=options.pods, nodes=options.nodes, namespace=options.namespace)
    finally:
        lab.close()
