"""The Node.js programs tests run: the official conformance suite and the inspector."""

from __future__ import annotations

from functools import cache

from tools.node_env import NodeEnvironment as NodeTools
from tools.node_env import environment

__all__ = ["NodeTools", "node_tools"]


@cache
def node_tools() -> NodeTools:
    """Node (``.node``) and the folder of installed programs (``.bin``); installed on first use."""
    return environment()
