"""What the exit code of a container means.

Source: https://tldp.org/LDP/abs/html/exitcodes.html, https://man7.org/linux/man-pages/man7/signal.7.html
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN: Final[Mapping[int, str]] = {
    0: "it ended by itself without an error, though it is to run on",
    1: "the program reported an error of its own; its log says which",
    2: "the program was used wrongly, or reported an error; see its arguments and its log",
    125: "the container runtime could not run it",
    126: "the command cannot be executed: wrong permissions, or not a program for this processor",
    127: "the command was not found in the image; see command and args",
    128: "the container could not be started; see the runtime's message",
    255: "the program reported an error, or its exit code was out of range",
}
_SIGNALS: Final[Mapping[int, str]] = {
    signal.SIGABRT: "the program aborted itself, as on a failed assertion",
    signal.SIGBUS: "it used memory in a way that is not allowed",
    signal.SIGFPE: "an impossible calculation, such as a division by zero",
    signal.SIGILL: "the program has instructions that this processor does not know",
    signal.SIGINT: "it was interrupted",
    signal.SIGKILL: "it was killed: for lack of memory, by a failed liveness probe, or past its grace period",
    signal.SIGSEGV: "it crashed on memory that is not its own",
    signal.SIGTERM: "it was told to stop, as by a failed liveness probe or an eviction, and did so with an error",
}
_OOM: Final = "it used more memory than its limit, and the kernel killed it"


def explained(code: int, reason: str = "", by_signal: int = 0) -> str:
    """An exit code in words: ``exit 137: it was killed …``.

    Args:
        reason: what the container runtime gave as reason, such as ``OOMKilled``.
        by_signal: the signal that ended it, where the runtime tells.
    """
    number = by_signal or (code - 128 if 128 < code < 128 + signal.NSIG else 0)
    name = _name(number)
    shown = f"exit {code} ({name})" if name else f"exit {code}"
    if reason == "OOMKilled":
        return f"{shown}: {_OOM}"
    words = _SIGNALS.get(number) or _KNOWN.get(code) or "a code of the program's own"
    return f"{shown}: {words}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name if number else ""
    except ValueError:
        return f"signal {number}"
