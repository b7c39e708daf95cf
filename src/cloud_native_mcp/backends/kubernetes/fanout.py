"""Asking one cluster or all of them; a dead one becomes a partial answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.clusters import Clusters
    from cloud_native_mcp.contract.call import Call

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Asked(Generic[AnswerT]):
    """Answers by target, in the order of the configuration, and one line per target that failed."""

    answers: Sequence[tuple[str, AnswerT]]
    failed: Sequence[str]

    @property
    def several(self) -> bool:
        """Whether more than one target was asked, so that rows need a CLUSTER column."""
        return len(self.answers) + len(self.failed) > 1


async def ask_targets(call: Call[Clusters], ask: Callable[[KubernetesClient], Awaitable[AnswerT]]) -> Asked[AnswerT]:
    """Ask every target of the call in parallel.

    Raises:
        ToolError: of the only target, or of the first when all failed.
    """
    if len(call.targets) == 1:
        return Asked([(call.target, await ask(call.service.client(call.target)))], [])

    async def one(target: str) -> AnswerT:
        return await ask(call.service.client(target))

    results = await asyncio.gather(*map(one, call.targets), return_exceptions=True)
    answers: list[tuple[str, AnswerT]] = []
    errors: list[tuple[str, ToolError]] = []
    for target, result in zip(call.targets, results, strict=True):
        if isinstance(result, ToolError):
            errors.append((target, result))
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append((target, result))
    if not answers:
        raise errors[0][1]
    return Asked(answers, [f"{target}: {error.code}: {error.text}" for target, error in errors])
