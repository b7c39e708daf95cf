"""The border between the server and its services: what goes wrong in one stays there and is told in one line.

A service may be a package this project has never seen, so anything can be raised while it is imported or started.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from typing import TYPE_CHECKING, Final, TypeVar

from cloud_native_mcp.errors import CnmcpError
from cloud_native_mcp.response.clean import clean_line
from cloud_native_mcp.response.mask import scrub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

ValueT = TypeVar("ValueT")
_LONGEST: Final = 300
_FOLDERS = re.compile(r"(?<![\w./:-])~?(?:/[^\s/'\"]+)+/(?=[^\s/'\"])")


class ServiceFailed(Exception):
    """A service cannot be imported, started or ended. The text is one line, without secrets and folders."""


def isolated(load: Callable[[], ValueT]) -> ValueT:
    """What ``load`` gives.

    Raises:
        ServiceFailed: for anything it raises.
    """
    try:
        return load()
    except Exception as error:  # noqa: BLE001 - the border named above
        raise _failed(error) from None


async def isolated_run(work: Callable[[], Awaitable[ValueT]], *, seconds: float) -> ValueT:
    """What ``work`` gives within that many seconds.

    Raises:
        ServiceFailed: for anything it raises, and when it takes longer.
    """
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            return await work()
    except Exception as error:  # noqa: BLE001 - the border named above
        if timer.expired():
            raise ServiceFailed(f"not finished within {seconds:g} s") from None
        raise _failed(error) from None


def one_line(error: BaseException) -> str:
    """An error in one short line, credentials and folders taken out."""
    text = str(error) if isinstance(error, CnmcpError) else f"{type(error).__name__}: {error}"
    shown = _FOLDERS.sub("…/", scrub(clean_line(text)))
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _failed(error: Exception) -> ServiceFailed:
    # Where it was raised, without its text: that may hold what only `one_line` takes out.
    logger.debug("raised by a service:\n%s", "".join(traceback.format_tb(error.__traceback__)))
    return ServiceFailed(one_line(error))
