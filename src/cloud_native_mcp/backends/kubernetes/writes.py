"""Requests that change a cluster. None of them is ever sent twice; without an answer the outcome is unknown.

What the operator's policy refuses is not sent at all. A patch is first tried on the server (a dry run), so that the
object it makes can be judged.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpResponse

FIELD_MANAGER: Final = "cloud-native-mcp"
PatchType = Literal["strategic", "merge", "json", "apply"]
_CONTENT_TYPES: Final[dict[PatchType, str]] = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, slots=True)
class Written:
    """What the API server answered to a write: the object (or a Status), and its warnings.

    ``created`` tells an object that was not there before.
    """

    object: dict[str, object]
    warnings: tuple[str, ...] = ()
    created: bool = False


async def patch(
    client: KubernetesClient,
    resource: Resource,
    name: str,
    body: object,
    *,
    kind: PatchType,
    deadline: Deadline,
    namespace: str | None = None,
    subresource: str = "",
    dry_run: bool = False,
    force: bool = False,
    manager: str = FIELD_MANAGER,
) -> Written:
    """Change an object, or with ``apply`` create it; always with strict field validation.

    Args:
        body: for ``json`` the list of operations, else an object (JSON is YAML, which ``apply`` takes).
        force: with ``apply``, take over fields that others manage.
        manager: whose fields they are; another one than ours only to rehearse what that one would do.
    """
    client.policy.check_namespace(namespace)
    if kind == "apply":
        client.policy.check(as_dict(body))
    elif not dry_run and not subresource and client.policy.polices(resource.kind, resource.group):
        await patch(client, resource, name, body, kind=kind, namespace=namespace, dry_run=True, deadline=deadline)
    params = [("fieldManager", manager), ("fieldValidation", "Strict"), *_dry(dry_run)]
    if force:
        params.append(("force", "true"))
    path = resource.path(namespace=namespace, name=name, subresource=subresource)
    what = f"patch {resource.display} {name}"
    response = await client.write(
        resource, "PATCH", path, what=what, deadline=deadline, params=params, body=body, content=_CONTENT_TYPES[kind]
    )
    written = _written(client, response, what)
    if dry_run and not subresource:
        client.policy.check({"kind": resource.kind, **written.object})
    return written


async def create(
    client: KubernetesClient,
    resource: Resource,
    body: object,
    *,
    deadline: Deadline,
    namespace: str | None = None,
    name: str | None = None,
    subresource: str = "",
    dry_run: bool = False,
) -> Written:
    """POST an object to its collection, or to a subresource of an object (``eviction``, ``binding``)."""
    client.policy.check_namespace(namespace)
    client.policy.check({"kind": resource.kind, **as_dict(body)})
    params = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict"), *_dry(dry_run)]
    path = resource.path(namespace=namespace, name=name, subresource=subresource)
    what = f"create {resource.display}{f'/{subresource} of {name}' if subresource else ''}"
    response = await client.write(resource, "POST", path, what=what, deadline=deadline, params=params, body=body)
    return _written(client, response, what)


async def replace(
    client: KubernetesClient,
    resource: Resource,
    name: str,
    body: Mapping[str, object],
    *,
    deadline: Deadline,
    namespace: str | None = None,
    subresource: str = "",
    dry_run: bool = False,
) -> Written:
    """PUT a whole object, or a subresource of it (``approval``)."""
    client.policy.check_namespace(namespace)
    client.policy.check({"kind": resource.kind, **body})
    params = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict"), *_dry(dry_run)]
    path = resource.path(namespace=namespace, name=name, subresource=subresource)
    what = f"replace {resource.display} {name}"
    response = await client.write(resource, "PUT", path, what=what, deadline=deadline, params=params, body=body)
    return _written(client, response, what)


async def delete(
    client: KubernetesClient,
    resource: Resource,
    name: str,
    *,
    deadline: Deadline,
    namespace: str | None = None,
    propagation: Propagation = "Background",
    grace_period_seconds: int | None = None,
    uid: str = "",
    resource_version: str = "",
    dry_run: bool = False,
) -> Written:
    """DELETE one object, only if it still is the one with that uid (and version, where given)."""
    client.policy.check_namespace(namespace)
    preconditions = {key: value for key, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
    options: dict[str, object] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
    if preconditions:
        options["preconditions"] = preconditions
    if grace_period_seconds is not None:
        options["gracePeriodSeconds"] = grace_period_seconds
    path = resource.path(namespace=namespace, name=name)
    what = f"delete {resource.display} {name}"
    response = await client.write(
        resource, "DELETE", path, what=what, deadline=deadline, params=_dry(dry_run), body=options
    )
    return _written(client, response, what)


def warnings_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The texts of ``Warning`` headers (RFC 7234, code 299), in the server's words."""
    found: list[str] = []
    text = headers.get("warning", "")
    while (start := text.find('"')) >= 0:
        end = start + 1
        while end < len(text) and text[end] != '"':
            end += 2 if text[end] == "\\" else 1
        found.append(text[start + 1 : end].replace('\\"', '"').replace("\\\\", "\\"))
        text = text[end + 1 :]
    return tuple(found)


def _dry(dry_run: bool) -> list[tuple[str, str]]:  # noqa: FBT001 - as the callers name it
    return [("dryRun", "All")] if dry_run else []


def _written(client: KubernetesClient, response: HttpResponse, what: str) -> Written:
    body = decode_json(response, dict[str, object], what=what, target=client.target)
    return Written(body, warnings_of(response.headers), created=response.status == 201)
