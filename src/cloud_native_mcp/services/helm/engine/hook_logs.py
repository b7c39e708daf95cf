"""The last lines a failed hook logged, when its pod is still there.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.lists import ListQuery, metadata_page
from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline

_HOOK: Final = re.compile(
    r"(?:resource )?\b(Job|Pod)(?:/[a-z0-9-]+/| )([a-z0-9.-]+) (?:not ready|failed)", re.IGNORECASE
)
"""As Helm 4 names it, and as Helm 3 does (``job migrate failed``)."""
_LINES: Final = 5
_LONGEST: Final = 300
_MOST_BYTES: Final = 100_000


async def hook_log(client: KubernetesClient, namespace: str, words: str, *, deadline: Deadline) -> str:
    """``; it logged last: …`` for the hook that Helm's words name, or nothing."""
    named = _HOOK.search(words)
    if named is None:
        return ""
    try:
        pod = (
            named[2] if named[1].lower() == "pod" else await pod_of_job(client, namespace, named[2], deadline=deadline)
        )
        text = await pod_log(client, namespace, pod, lines=_LINES, deadline=deadline) if pod else ""
    except BackendError:
        return ""
    last = " ⏎ ".join(line.strip() for line in text.splitlines() if line.strip())[-_LONGEST:]
    return f"; it logged last: {last}" if last else ""


async def pod_log(client: KubernetesClient, namespace: str, pod: str, *, lines: int, deadline: Deadline) -> str:
    """The last lines of a pod of one container.

    Raises:
        BackendError: ``not_found`` when the pod is gone, ``forbidden``, …
    """
    pods = await client.discovery.find("", "v1", "Pod", deadline=deadline)
    if pods is None:
        return ""
    path = pods.path(namespace=namespace, name=pod, subresource="log")
    response = await client.fetch(
        path,
        what=f"log of pod {pod} in {namespace}",
        params=[("tailLines", str(lines))],
        accept="*/*",
        max_bytes=_MOST_BYTES,
        deadline=deadline,
    )
    return response.body.decode("utf-8", "replace")


async def pod_of_job(client: KubernetesClient, namespace: str, job: str, *, deadline: Deadline) -> str:
    """The name of a pod of the Job; empty when none is there."""
    pods = await client.discovery.find("", "v1", "Pod", deadline=deadline)
    if pods is None:
        return ""
    query = ListQuery(namespace, label_selector=f"batch.kubernetes.io/job-name={job}", limit=1)
    page = await metadata_page(client, pods, query, deadline=deadline)
    return page.items[0].metadata.name if page.items else ""
