"""Questions the API server answers itself: access reviews, rules reviews, who am I.

Source: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.resources import Resource
from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.services.kubernetes.permissions.rbac import Rule  # noqa: TC001 - read when structs are decoded

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.kubernetes.permissions.rbac import Subject, Wanted

ShapeT = TypeVar("ShapeT")
_AUTHORIZATION: Final = "authorization.k8s.io"
_AUTHENTICATION: Final = "authentication.k8s.io"


class AccessStatus(msgspec.Struct, rename="camel"):
    """Answer of an access review."""

    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class RulesStatus(msgspec.Struct, rename="camel"):
    """Answer of a rules review; ``incomplete`` when an authorizer could not list its rules."""

    resource_rules: list[Rule] = []
    non_resource_rules: list[Rule] = []
    incomplete: bool = False
    evaluation_error: str = ""


class UserInfo(msgspec.Struct):
    """Who the API server takes the caller for."""

    username: str = ""
    groups: list[str] = []
    uid: str = ""


class _UserStatus(msgspec.Struct, rename="camel"):
    user_info: UserInfo = msgspec.field(default_factory=UserInfo)


class _Access(msgspec.Struct):
    status: AccessStatus = msgspec.field(default_factory=AccessStatus)


class _Rules(msgspec.Struct):
    status: RulesStatus = msgspec.field(default_factory=RulesStatus)


class _User(msgspec.Struct):
    status: _UserStatus = msgspec.field(default_factory=_UserStatus)


async def review_access(
    client: KubernetesClient, wanted: Wanted, namespace: str | None, subject: Subject | None, *, deadline: Deadline
) -> AccessStatus:
    """Whether the server's identity, or a subject, may do it. Nothing is stored."""
    spec: dict[str, object] = {}
    if wanted.path:
        spec["nonResourceAttributes"] = {"path": wanted.path, "verb": wanted.verb}
    else:
        resource, _, subresource = wanted.resource.partition("/")
        spec["resourceAttributes"] = {
            "verb": wanted.verb,
            "group": wanted.group,
            "resource": resource,
            "subresource": subresource,
            "name": wanted.name,
            "namespace": namespace or "",
        }
    kind, plural = "SelfSubjectAccessReview", "selfsubjectaccessreviews"
    if subject is not None:
        kind, plural = "SubjectAccessReview", "subjectaccessreviews"
        spec |= _identity(subject)
    answer = await _post(client, _AUTHORIZATION, kind, plural, spec, _Access, deadline)
    return answer.status


async def review_rules(client: KubernetesClient, namespace: str, *, deadline: Deadline) -> RulesStatus:
    """What the server's identity may do in one namespace."""
    kind, plural = "SelfSubjectRulesReview", "selfsubjectrulesreviews"
    answer = await _post(client, _AUTHORIZATION, kind, plural, {"namespace": namespace}, _Rules, deadline)
    return answer.status


async def review_self(client: KubernetesClient, *, deadline: Deadline) -> UserInfo:
    """Who the API server takes this server for."""
    try:
        answer = await _post(client, _AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews", {}, _User, deadline)
    except BackendError as error:
        if error.code != "unsupported":
            raise
        text = f"cluster {client.name} has no SelfSubjectReview (Kubernetes before 1.28); use view=can_i"
        raise ToolError("unsupported", text) from error
    return answer.status.user_info


async def _post(
    client: KubernetesClient,
    group: str,
    kind: str,
    plural: str,
    spec: dict[str, object],
    shape: type[ShapeT],
    deadline: Deadline,
) -> ShapeT:
    resource = Resource(group=group, version="v1", kind=kind, plural=plural, namespaced=False)
    body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    return await client.create(resource, body, shape=shape, deadline=deadline, read=True)


def _identity(subject: Subject) -> dict[str, object]:
    """User and groups as the API server would see the subject."""
    match subject.kind:
        case "ServiceAccount":
            name = f"system:serviceaccount:{subject.namespace}:{subject.name}"
            groups = ["system:serviceaccounts", f"system:serviceaccounts:{subject.namespace}", "system:authenticated"]
            return {"user": name, "groups": groups}
        case "Group":
            return {"groups": [subject.name, "system:authenticated"]}
        case _:
            return {"user": subject.name, "groups": ["system:authenticated"]}
