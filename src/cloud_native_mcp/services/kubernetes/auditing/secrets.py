"""How credentials are kept and handed on. Values are read of ConfigMaps only, and never told.

Source: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta, PartialObject
from cloud_native_mcp.contract.json_values import as_str
from cloud_native_mcp.response.objects import is_secret_name
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.references import SECRET, references
from cloud_native_mcp.services.kubernetes.auditing.workloads import workloads
from cloud_native_mcp.services.kubernetes.reading import Kind
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload
    from cloud_native_mcp.services.kubernetes.reading import Reader


class ConfigMap(msgspec.Struct, gc=False):
    """A ConfigMap, of whose values only is kept which of those named like a credential are not empty."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    data: dict[str, str] | None = None

    def __post_init__(self) -> None:
        """Drop the values."""
        self.data = {key: "" for key, value in (self.data or {}).items() if value and is_secret_name(key)}


CONFIG_MAPS: Final = Kind("", "ConfigMap", ConfigMap)
SECRETS: Final = Kind("", "Secret", PartialObject)
TOKENS: Final = Kind("", "Secret", PartialObject, field_selector="type=kubernetes.io/service-account-token")


async def secrets(reader: Reader) -> list[Finding]:
    """Credentials in plain sight, tokens without end, Secrets that are named and not there."""
    found: list[Finding] = []
    listed = await reader.either(SECRETS, "secrets")
    known = None if listed is None else {(one.metadata.namespace, one.metadata.name) for one in listed}
    async for workload in unhurried(await workloads(reader)):
        found += _of_workload(workload, known)
    async for config in unhurried(await reader.optional(CONFIG_MAPS, "secrets")):
        if keys := sorted(config.data or ()):
            where = named("ConfigMap", config.metadata.namespace, config.metadata.name)
            why = f"keys named like credentials: {', '.join(keys)}"
            found.append(Finding("warning", "secrets", "in_config_map", where, why, "move them to a Secret"))
    for token in await reader.optional(TOKENS, "secrets"):
        where = named("Secret", token.metadata.namespace, token.metadata.name)
        fix = "use tokens of the TokenRequest API, which end, and delete it"
        found.append(Finding("warning", "secrets", "lasting_token", where, "a token that never expires", fix))
    return found


def _of_workload(workload: Workload, known: set[tuple[str, str]] | None) -> Iterator[Finding]:
    literal = [
        as_str(one.get("name"))
        for container in workload.spec.all_containers
        for one in container.env or ()
        if one.get("value") and is_secret_name(as_str(one.get("name")))
    ]
    if literal:
        why = f"values in its specification: {', '.join(sorted(set(literal)))}"
        yield Finding("warning", "secrets", "in_environment", workload.object, why, "take them from a Secret")
    used = [one for one in references(workload) if one.kind == SECRET]
    needed = {(workload.namespace, one.name) for one in used if one.needed}
    if known is not None and (missing := sorted(name for _, name in needed - known)):
        why = f"names Secrets that do not exist: {', '.join(missing)}"
        fix = "create them, or mark them optional"
        yield Finding("warning", "secrets", "missing", workload.object, why, fix)
    if exposed := sorted({one.name for one in used if one.how == "environment"}):
        why = f"environment holds Secrets: {', '.join(exposed)}"
        fix = "mount them as files: the environment ends up in dumps and child processes"
        yield Finding("info", "secrets", "as_environment", workload.object, why, fix)
    if workload.spec.service_account_name in {"", "default"} and workload.spec.automount_service_account_token is None:
        why = "its pods hold a token of the default account"
        yield Finding("info", "secrets", "default_token", workload.object, why, "automountServiceAccountToken: false")
