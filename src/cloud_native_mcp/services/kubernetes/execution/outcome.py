"""What a command's end means to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Result
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.execution.output import blocks_of, fit, masked_text
from cloud_native_mcp.services.kubernetes.execution.place import NOT_RUNNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.exec_stream import Execution
    from cloud_native_mcp.services.kubernetes.execution.request import Request

NOT_FOUND: Final = "command_not_found"
NOT_FOUND_CODES: Final = {126: "it may not be executed", 127: "there is no such program"}
"""Exit codes of a shell, and of container runtimes: POSIX, Shell Command Language, 2.8.2."""
_SAID: Final = 400


def outcome(
    execution: Execution, request: Request, where: str, *, notes: Sequence[str] = (), ran_on: str = ""
) -> Result:
    """The answer of a command that ran.

    Args:
        where: container, pod, namespace and cluster in words.
        ran_on: what becomes of a process whose time is over.

    Raises:
        ToolError: ``command_not_found``; ``container_not_running``, when the container ended meanwhile.
        BackendError: it is not known how the command went, and nothing was read of it.
    """
    _raise_not_found(execution, request, where)
    _raise_unknown(execution, request, where)
    done = {
        "exit": f"exit code {execution.exit_code}",
        "failed": "failed without an exit code",
        "timeout": f"timeout after {execution.seconds:.0f} s",
        "broken": "the connection ended before the exit code came",
        "too_much": "too much output",
    }[execution.end]
    blocks = blocks_of({"stdout": execution.stdout, "stderr": execution.stderr}, source=f"output of {where}")
    code = execution.exit_code
    hint = [f"exit code {code}: {NOT_FOUND_CODES[code]}"] if code in NOT_FOUND_CODES else []
    empty = [] if blocks else ["no output"]
    return Result(
        header=f"{done}: {request.shown} in {where}, {execution.seconds:.1f} s",
        blocks=blocks,
        notes=[*empty, *hint, *notes],
        partial=_partial(execution, ran_on),
        facts={"exit_code": code, "end": execution.end},
    )


def _partial(execution: Execution, ran_on: str) -> list[str]:
    told = [execution.message] if execution.message else []
    match execution.end:
        case "timeout":
            return [f"timeout: the command had not ended; its output so far is shown{ran_on}", *told]
        case "broken":
            return ["unknown_outcome: its output so far is shown; the command may have gone on", *told]
        case "too_much":
            return [f"output beyond what is read in one call; the command was left to itself{ran_on}", *told]
        case _:
            return told


def _raise_not_found(execution: Execution, request: Request, where: str) -> None:
    """A shell's 126 and 127 count only while nothing was written: a script that got further has more to tell."""
    code = execution.exit_code
    silent = code in NOT_FOUND_CODES and not execution.stdout.size
    if not silent and not execution.not_started:
        return
    why = NOT_FOUND_CODES.get(code or 0) or "it could not be started"
    said = " ".join(fit(masked_text(execution.stderr), _SAID).split()) or execution.message
    text = f"{request.command[0]!a} in {where}: {why}{f' (exit code {code})' if code else ''}: {said}"
    raise ToolError(NOT_FOUND, text.removesuffix(": "), kind="fix")


def _raise_unknown(execution: Execution, request: Request, where: str) -> None:
    if execution.stdout.size or execution.stderr.size:
        return
    if execution.end == "failed":
        if "container not found" in execution.message:
            raise ToolError(NOT_RUNNING, f"{where} does not run: {execution.message}", kind="final")
        raise BackendError("backend_error", f"{request.shown} in {where} could not be run: {execution.message}")
    if execution.end == "broken":
        text = f"the connection to {where} ended before {request.shown} answered; it may have run"
        raise BackendError("unknown_outcome", text)
