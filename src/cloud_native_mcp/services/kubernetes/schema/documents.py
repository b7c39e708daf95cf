"""OpenAPI v3 documents of one API group and version each, kept by the hash in their address.

Documents are large (core v1: 1.6 MB). Only the frame is decoded at once; a schema is decoded when it is looked at.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cloud_native_mcp.errors import BackendError, ToolError
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.service import Cache

SEGMENT: Final = "kubernetes.schema"
TTL_SECONDS: Final = 86_400.0
"""A document never changes under an address that holds its hash; the bound by bytes is what ends its stay."""
TTL_WITHOUT_HASH_SECONDS: Final = 600.0
MOST_BYTES: Final = 32_000_000
_REF: Final = "#/components/schemas/"


class Schema(msgspec.Struct, gc=False):
    """One schema: an object, a field, or a reference to one."""

    type: str = ""
    format: str = ""
    description: str = ""
    ref: str = msgspec.field(name="$ref", default="")
    all_of: list[Schema] = msgspec.field(name="allOf", default_factory=list["Schema"])
    properties: dict[str, Schema] = {}
    required: list[str] = []
    items: Schema | None = None
    additional: Schema | bool | None = msgspec.field(name="additionalProperties", default=None)
    default: msgspec.Raw = msgspec.Raw(b"")
    enum: list[object] = []
    minimum: float | None = None
    maximum: float | None = None
    preserve: bool = msgspec.field(name="x-kubernetes-preserve-unknown-fields", default=False)
    int_or_string: bool = msgspec.field(name="x-kubernetes-int-or-string", default=False)


class _Kind(msgspec.Struct, gc=False):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Kinds(msgspec.Struct, gc=False):
    kinds: list[_Kind] = msgspec.field(name="x-kubernetes-group-version-kind", default_factory=list[_Kind])


class _Components(msgspec.Struct):
    schemas: dict[str, msgspec.Raw] = {}


class _Frame(msgspec.Struct):
    components: _Components = msgspec.field(default_factory=_Components)


class _Address(msgspec.Struct):
    url: str = msgspec.field(name="serverRelativeURL", default="")


class _Index(msgspec.Struct):
    paths: dict[str, _Address] = {}


class SchemaDocument:
    """The schemas of one group and version, by name."""

    def __init__(self, schemas: dict[str, msgspec.Raw]) -> None:
        self._raw = {name: bytes(raw) for name, raw in schemas.items()}
        self._decoded: dict[str, Schema] = {}

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(map(len, self._raw.values()))

    def of_kind(self, resource: Resource) -> Schema | None:
        """The schema of a kind's objects, or None when the document has none."""
        suffix = f".{resource.kind}"
        for name, raw in self._raw.items():
            if not name.endswith(suffix):
                continue
            kinds = msgspec.json.decode(raw, type=_Kinds).kinds
            if any((k.group, k.version, k.kind) == (resource.group, resource.version, resource.kind) for k in kinds):
                return self._schema(name)
        return None

    def resolved(self, schema: Schema) -> Schema:
        """The schema behind a reference (or the single part of ``allOf``); itself when it is none."""
        reference = schema.ref or (schema.all_of[0].ref if len(schema.all_of) == 1 else "")
        if not reference.startswith(_REF):
            return schema
        return self._schema(reference.removeprefix(_REF)) or schema

    def _schema(self, name: str) -> Schema | None:
        if name not in self._decoded and name in self._raw:
            self._decoded[name] = msgspec.json.decode(self._raw[name], type=Schema)
        return self._decoded.get(name)


async def schema_document(
    client: KubernetesClient, resource: Resource, *, cache: Cache, deadline: Deadline
) -> SchemaDocument:
    """The document of a kind's group and version.

    Raises:
        ToolError: ``unsupported`` when the cluster publishes none.
    """
    response = await client.fetch("/openapi/v3", what="schema index", deadline=deadline)
    index = decode_json(response, _Index, what="schema index", target=client.target)
    key = f"apis/{resource.group_version}" if resource.group else f"api/{resource.version}"
    address = index.paths.get(key)
    if address is None:
        raise ToolError("unsupported", f"cluster {client.name} publishes no schema for {resource.group_version}")
    return await cache.fetch(
        SEGMENT,
        (client.name, address.url),
        lambda: _load(client, address.url, deadline),
        ttl=TTL_SECONDS if "hash=" in address.url else TTL_WITHOUT_HASH_SECONDS,
        size=lambda document: document.size,
    )


async def _load(client: KubernetesClient, url: str, deadline: Deadline) -> SchemaDocument:
    parts = urlsplit(url)
    if not parts.path.startswith("/"):
        raise BackendError("bad_answer", f"cluster {client.name}: the schema index holds an address that is no path")
    response = await client.fetch(
        parts.path, params=parse_qsl(parts.query), what="schema", deadline=deadline, max_bytes=MOST_BYTES
    )
    frame = decode_json(response, _Frame, what="schema", target=client.target)
    return SchemaDocument(frame.components.schemas)
