"""Names of releases: what is none never reaches a selector or a command line."""

from __future__ import annotations

import re
from typing import Final

from cloud_native_mcp.backends.kubernetes.names import shortened
from cloud_native_mcp.errors import InvalidArgument

LONGEST: Final = 53
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)


def check_release_name(value: str, *, field: str = "name") -> str:
    """The name of a release, as given.

    Raises:
        InvalidArgument: anything Helm would not take, naming the field and the rule.
    """
    if len(value) <= LONGEST and _NAME.fullmatch(value):
        return value
    raise InvalidArgument(
        field,
        f"{shortened(value)} is not the name of a release: lower case letters, digits, '-' and '.', starting and "
        f"ending with a letter or digit, at most {LONGEST} characters",
    )
