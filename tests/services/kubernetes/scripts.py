"""Answers of scripted API servers: two kinds of the core group, and any others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.backends.kubernetes.clusters import NOT_FOUND, aggregated, entry, group
from tests.fault_server.behaviours import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

    Choose = Callable[[Request], Behaviour]

PODS = answer(
    {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"continue": "there", "remainingItemCount": 3},
        "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "priority": 0}],
        "rows": [{"cells": ["one"], "object": {"metadata": {"name": "one", "namespace": "here"}}}],
    }
)


def discovery(*others: tuple[str, str, str]) -> Mapping[str, Choose]:
    """Both discovery documents; ``others`` are group, plural and kind of more resources."""
    core = group("", v1=[entry("pods", "Pod"), entry("services", "Service"), entry("events", "Event")])
    groups = [group(name, v1=[entry(plural, kind)]) for name, plural, kind in others]
    return {"/api": lambda _: answer(aggregated(core)), "/apis": lambda _: answer(aggregated(*groups))}


def routes(*tables: Mapping[str, Choose]) -> Choose:
    """Answers by path, of the first table that has it."""

    def choose(request: Request) -> Behaviour:
        chosen = next((table[request.path] for table in tables if request.path in table), None)
        return chosen(request) if chosen else NOT_FOUND

    return choose


def status(code: int, reason: str, message: str) -> Behaviour:
    """A refusal in the form of the API."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return answer({**body, "message": message}, status=code)


def not_allowed(resource: str) -> Behaviour:
    """A refusal by the authorizer."""
    return status(403, "Forbidden", f'{resource} is forbidden: User "x" cannot list resource "{resource}"')
