"""Settings from ``--set PATH=VALUE`` flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from cloud_native_mcp.config.environment import JSON_STARTS
from cloud_native_mcp.config.tree import Clash, place
from cloud_native_mcp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable


def assigned(assignments: Iterable[str]) -> dict[str, object]:
    """The settings of assignments such as ``prometheus.targets.main.url=http://…``; ``[`` or ``{`` starts JSON.

    Raises:
        ConfigError: with every assignment that is malformed or clashes with one before it.
    """
    tree: dict[str, object] = {}
    problems: list[Problem] = []
    for assignment in assignments:
        name, sign, text = assignment.partition("=")
        path = name.split(".")
        flag = f"--set {name[:80]}"
        if not sign or not all(path):
            problems.append(Problem(flag, "write PATH=VALUE, such as logging.level=debug"))
            continue
        try:
            place(tree, path, orjson.loads(text) if text.startswith(JSON_STARTS) else text)
        except orjson.JSONDecodeError:
            problems.append(Problem(flag, "the value starts like JSON and is not JSON"))
        except Clash:
            problems.append(Problem(flag, "clashes with another --set"))
    if problems:
        raise ConfigError(problems)
    return tree
