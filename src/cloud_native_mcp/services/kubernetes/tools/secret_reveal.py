"""``kubernetes_secret_reveal``: chosen values of one Secret in clear, where the operator permits it.

API: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.contract.confirmation import Plan
from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.contract.result import Budget, Result, Revealed, Table
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.inspection.lookup import get_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

MOST_KEYS: Final = 10
MOST_BYTES: Final = 4_500
"""Bytes of values in one answer: as base64, with their titles, they fit into 8 kB whole."""
NEVER: Final[Mapping[str, str]] = {
    "kubernetes.io/service-account-token": "the token of a service account",
    "bootstrap.kubernetes.io/token": "a token with which nodes join",
    "helm.sh/release.v1": "a Helm release; use helm_get",
}
"""Types of Secrets that are never shown in clear: whole identities, and storage that has its own tool."""


class SecretRevealArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_secret_reveal``."""

    name: Annotated[str, Meta(description="Secret name")]
    namespace: Annotated[str, Meta(description="Namespace")]
    keys: Annotated[list[str], Meta(description="Keys to return")]
    confirm: (
        Annotated[str, Meta(description="Code from the plan that a call without it answers; acts only with it")]
        | UnsetType
    ) = UNSET


@tool(
    "secret_reveal",
    args=SecretRevealArgs,
    effect=Effect.DESTROY,
    untrusted=True,
    budget=Budget(usual=8_000, cap=8_000),
    description=(
        "Return chosen keys of one Secret in clear text. Audited; refused unless enabled. Prefer kubernetes_get, which "
        "shows keys, sizes and digests."
    ),
    own_errors={
        "reveal_disabled": "the operator has not permitted revealing Secrets of this cluster",
    },
)
async def secret_reveal(call: Call[KubernetesService], args: SecretRevealArgs) -> Result:
    """Show which keys would be shown; with the plan's code, show their values.

    The call is on record in the audit before it acts, as every call that is not a read; the values are in the answer
    only.
    """
    client = call.service.client(call.target)
    client.policy.require("reveal_secrets", "revealing Secrets", code="reveal_disabled")
    namespace = check_namespace(args.namespace)
    client.policy.check_namespace(namespace, what="revealing Secrets")
    keys = _checked(args.keys)
    resource = await client.discovery.resolve("secrets", deadline=call.deadline)
    check_name(args.name, resource=resource)
    secret = await get_object(client, resource, args.name, namespace=namespace, deadline=call.deadline)
    label = f"Secret {namespace}/{args.name}"
    if why := NEVER.get(as_str(secret.get("type"))):
        raise ToolError("denied_by_policy", f"{label} is {why}, and never shown in clear")
    values = _values(secret, keys, label)
    if pending := call.confirm(_plan(call, secret, label, values), args.confirm):
        return pending
    return Result(
        header=f"{number_of(len(values), 'value')} of {label} on {client.name}, in clear",
        blocks=[Revealed(key, value, source=label) for key, value in values.items()],
    )


TOOLS = (secret_reveal,)


def _checked(keys: Sequence[str]) -> list[str]:
    distinct = list(dict.fromkeys(keys))
    if not distinct:
        raise InvalidArgument("keys", "is empty; name the keys to return, as kubernetes_get shows them")
    if len(distinct) > MOST_KEYS:
        raise InvalidArgument("keys", f"holds {len(distinct)} keys, at most {MOST_KEYS}")
    return distinct


def _values(secret: Mapping[str, object], keys: Sequence[str], label: str) -> dict[str, bytes]:
    """The decoded values by key.

    Raises:
        ToolError: ``not_found`` for keys the Secret does not hold; more than fits into one answer.
    """
    data = as_dict(secret.get("data"))
    if missing := [key for key in keys if key not in data]:
        near = nearest(missing[0], list(data))
        hint = f"near: {', '.join(near)}" if near else f"it has {', '.join(sorted(data)) or 'none'}"
        raise BackendError("not_found", f"keys: {label} has no {', '.join(missing)}; {hint}", kind="fix", status=404)
    try:
        values = {key: base64.b64decode(as_str(data[key]), validate=True) for key in keys}
    except binascii.Error as error:
        raise BackendError("bad_answer", f"{label} holds a value that is not base64") from error
    if (size := sum(map(len, values.values()))) > MOST_BYTES:
        raise InvalidArgument("keys", f"hold {size} bytes together, at most {MOST_BYTES} are shown; name fewer keys")
    return values


def _plan(call: Call[KubernetesService], secret: Mapping[str, object], label: str, values: Mapping[str, bytes]) -> Plan:
    metadata = as_dict(dig(secret, "metadata"))
    rows = [(key, len(value), call.service.digest(value)) for key, value in values.items()]
    return Plan(
        f"would show {number_of(len(values), 'value')} of {label} on {call.target} in clear",
        [Table(("KEY", "BYTES", "SHA"), rows, untrusted=True, source=label)],
        [f"{label} {as_str(metadata.get('uid'))}@{as_str(metadata.get('resourceVersion'))}"],
        ["the values become part of this conversation, and of whatever keeps it"],
    )
