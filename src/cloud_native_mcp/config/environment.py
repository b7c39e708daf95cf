"""Settings from environment variables: ``CNMCP_PROMETHEUS__TARGETS__MAIN__URL`` is ``prometheus.targets.main.url``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from cloud_native_mcp.config.file import VARIABLE as FILE_VARIABLE
from cloud_native_mcp.config.tree import Clash, place
from cloud_native_mcp.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

PREFIX: Final = "CNMCP_"
NESTING: Final = "__"
JSON_STARTS: Final = ("[", "{")
"""A value that starts so is JSON."""
Origins = dict[tuple[str, ...], str]
"""Where values came from, by path: for the text of a problem."""


def read(environ: Mapping[str, str], sections: Collection[str]) -> tuple[dict[str, object], Origins, list[Problem]]:
    """The settings in the environment, whence each came, and what is wrong with them.

    Names become lower case, those of targets too. A value that starts with ``[`` or ``{`` is JSON. A variable without
    ``__`` counts only when it names one of ``sections`` or its value is JSON: others belong to other programs.
    """
    tree: dict[str, object] = {}
    origins: Origins = {}
    problems: list[Problem] = []
    for name, path in sorted(_ours(environ, sections), key=lambda found: (len(found[1]), found[0])):
        if not all(path):
            problems.append(Problem(name, f"has an empty part between its {NESTING}"))
            continue
        if path in origins:
            problems.append(Problem(name, f"sets the same as {origins[path]}"))
            continue
        try:
            place(tree, path, _value(environ[name]))
            origins[path] = name
        except orjson.JSONDecodeError:
            problems.append(Problem(name, "starts like JSON and is not JSON"))
        except Clash:
            problems.append(Problem(name, "clashes with another variable that sets something above or below it"))
    return tree, origins, problems


def misspelt(environ: Mapping[str, str], settings: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    """Variables that miss the double underscore (``CNMCP_SERVER_PORT``), by the names of each section's settings.

    Kubernetes makes such names for a Service called ``cnmcp-server``; their values are addresses and are left alone.
    """
    for name in sorted(environ):
        rest = name.removeprefix(PREFIX).lower()
        if not name.startswith(PREFIX) or NESTING in rest or environ[name].startswith(("tcp://", "udp://", "sctp://")):
            continue
        for section, names in settings.items():
            setting = rest.removeprefix(f"{section}_")
            if setting != rest and setting in names:
                yield Problem(name, f"sets nothing; write {PREFIX}{section.upper()}{NESTING}{setting.upper()}")


def _ours(environ: Mapping[str, str], sections: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in environ:
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            text = name.removeprefix(PREFIX).lower()
            if NESTING in text or text in sections or environ[name].startswith(JSON_STARTS):
                yield name, tuple(text.split(NESTING))


def _value(text: str) -> object:
    return orjson.loads(text) if text.startswith(JSON_STARTS) else text
