"""What a list is made of: one kind in one cluster, in a fixed order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from cloud_native_mcp.contract.together import together
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

ALL: Final = "all"
COMMON_KINDS: Final = (
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "services",
    "ingresses.networking.k8s.io",
    "configmaps",
    "persistentvolumeclaims",
    "horizontalpodautoscalers.autoscaling",
)
"""What ``all`` means. Secrets are never among them."""
MOST_KINDS: Final = 20
_PARALLEL: Final = 4
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Source:
    """One kind in one cluster."""

    client: KubernetesClient
    resource: Resource

    @property
    def words(self) -> str:
        """How an answer names it."""
        return f"{self.resource.display} on {self.client.name}"


async def sources_of(call: Call[KubernetesService], kind: str) -> tuple[list[Source], list[str]]:
    """The sources of a call in order (targets, then kinds as asked), and a line per cluster that failed.

    Raises:
        ToolError: of the only cluster, or of the first when all failed.
    """
    names = _names(kind)
    sources, failed, errors = list[Source](), list[str](), list[ToolError]()
    answers = await asyncio.gather(*(_resolve(call, target, names) for target in call.targets), return_exceptions=True)
    for target, answer in zip(call.targets, answers, strict=True):
        if isinstance(answer, BaseException):
            if not isinstance(answer, ToolError) or len(call.targets) == 1:
                raise answer
            errors.append(answer)
            failed.append(f"{target}: {answer.code}: {answer.text}")
        else:
            sources += answer
    if not sources:
        raise errors[0]
    return sources, failed


async def each(
    sources: Sequence[Source], ask: Callable[[Source], Awaitable[AnswerT]]
) -> tuple[list[tuple[Source, AnswerT]], list[str]]:
    """Ask the sources, four at a time; the answers in order, and a line per source that failed.

    Raises:
        ToolError: of the only source, or of the first when all failed.
    """
    seats = asyncio.Semaphore(_PARALLEL)

    async def one(source: Source) -> AnswerT | BackendError:
        async with seats:
            try:
                return await ask(source)
            except BackendError as error:
                return error

    answers = await together(*(one(source) for source in sources))
    good = [(s, a) for s, a in zip(sources, answers, strict=True) if not isinstance(a, BackendError)]
    bad = [(s, a) for s, a in zip(sources, answers, strict=True) if isinstance(a, BackendError)]
    if not good and bad:
        raise bad[0][1]
    return good, [f"{source.words}: {error.code}: {error.text}" for source, error in bad]


async def _resolve(call: Call[KubernetesService], target: str, names: Sequence[str]) -> list[Source]:
    client = call.service.client(target)
    if names == [ALL]:
        catalogue = await client.discovery.catalogue(call.deadline)
        served = [r for kind in COMMON_KINDS for r in catalogue.resources if r.display == kind and "list" in r.verbs]
        preferred = {resource.display: resource for resource in reversed(served)}
        return [Source(client, preferred[kind]) for kind in COMMON_KINDS if kind in preferred]
    return [Source(client, await client.discovery.resolve(name, deadline=call.deadline)) for name in names]


def _names(kind: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in kind.split(",") if name.strip()))
    if not names:
        raise InvalidArgument("kind", "is empty; give a kind such as pods, or several comma separated")
    if len(names) > MOST_KINDS:
        raise InvalidArgument("kind", f"holds {len(names)} kinds, at most {MOST_KINDS}")
    return [ALL] if [name.lower() for name in names] == [ALL] else names
