"""Requests to one cluster."""

from __future__ import annotations

import contextlib
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar, overload

import msgspec

from cloud_native_mcp.backends.kubernetes.acting_http import ActingHttp
from cloud_native_mcp.backends.kubernetes.callers_fence import within_rights
from cloud_native_mcp.backends.kubernetes.discovery import Discovery
from cloud_native_mcp.backends.kubernetes.fence import Fence
from cloud_native_mcp.backends.kubernetes.fenced_http import FencedHttp
from cloud_native_mcp.backends.kubernetes.meta import PartialObject
from cloud_native_mcp.backends.kubernetes.object_policy import ObjectPolicy
from cloud_native_mcp.backends.kubernetes.shared_reads import SharedReads
from cloud_native_mcp.backends.kubernetes.status import KubernetesError, raise_for_status
from cloud_native_mcp.contract.http import HttpResponse, HttpTarget
from cloud_native_mcp.errors import BackendError, InvalidArgument
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
    from cloud_native_mcp.backends.kubernetes.impersonation import Identity, Impersonation
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool, HttpSocket
    from cloud_native_mcp.contract.service import Cache

JSON: Final = "application/json"
METADATA: Final = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
DEFAULT_MAX_BYTES: Final = 32_000_000
_ERROR_BYTES: Final = 64_000
_MOST_ACTING: Final = 512
"""Users whose clients are kept, so that equal reads of one user can be shared."""
ShapeT = TypeVar("ShapeT")


class VersionInfo(msgspec.Struct, rename="camel"):
    """Answer of ``/version``."""

    git_version: str = ""
    major: str = ""
    minor: str = ""
    platform: str = ""


class KubernetesClient:
    """One cluster as the server's own identity sees it, or the user it was made for with `acting_as`.

    Every method raises `BackendError` (no connection, no whole answer), `KubernetesError` (the API server refused or
    failed) or `FenceError` (the operator's fence keeps it back). Names and namespaces are checked before anything is
    sent.

    Attributes:
        name: the target's name.
        namespace: the namespace of the configured context.
        discovery: the kinds of the cluster.
        policy: what is not written there, whatever the identity may do.
        http: the last hop of every request, where the fence stands.
        identity: the Kubernetes user its requests are sent as; None for the server's own. Discovery is the server's.
        impersonation: who callers are there; None where all of them are the server.
    """

    def __init__(
        self,
        *,
        name: str,
        access: ClusterAccess,
        http: HttpPool,
        cache: Cache,
        service: str = "kubernetes",
        policy: ObjectPolicy | None = None,
        fence: Fence | None = None,
        impersonation: Impersonation | None = None,
        identity: Identity | None = None,
        discovery: Discovery | None = None,
    ) -> None:
        self.name = name
        self.namespace = access.namespace
        self.policy = policy or ObjectPolicy()
        self._fence = fence or Fence()
        self.access = access
        self.impersonation = impersonation
        self.identity = identity
        self.target = HttpTarget(
            service=service,
            name=name,
            base_url=access.server,
            credentials=access.credentials,
            tls=access.tls,
            proxy=access.proxy,
            headers=access.headers,
            certificates=access.certificates,
        )
        self.discovery = discovery or Discovery(self._fetch, cache=cache, target=self.target)
        own = http.client(self.target)
        self.http = FencedHttp(
            ActingHttp(own, identity) if identity is not None else own,
            lambda: self.fence,
            target=self.target,
            outside=self.discovery.is_outside_namespaces,
        )
        self._shared = SharedReads(self.http, cache)
        self._acting: dict[Identity, KubernetesClient] = {}
        self._again = partial(
            KubernetesClient,
            name=name,
            access=access,
            http=http,
            cache=cache,
            service=service,
            policy=self.policy,
            fence=self._fence,
        )

    def acting_as(self, identity: Identity) -> KubernetesClient:
        """The client whose requests are that user's; whoever keeps it stays that user.

        Reads of different users are never shared; discovery, which tells of kinds only, is asked by the server.
        """
        known = self._acting.pop(identity, None)
        if known is None:
            known = self._again(identity=identity, discovery=self.discovery)
            while len(self._acting) >= _MOST_ACTING:
                del self._acting[next(iter(self._acting))]
        self._acting[identity] = known
        return known

    @property
    def view(self) -> tuple[str, Identity | None]:
        """What keys of kept answers begin with: the cluster, and whose rights the answers show."""
        return self.name, self.identity

    @property
    def actor(self) -> str:
        """Whose rights count there, in words: ``this server``, ``user alice``."""
        return "this server" if self.identity is None else f"user {self.identity.user}"

    @property
    def fence(self) -> Fence:
        """Which requests the call that runs now may send: the operator's rules, and within them the caller's."""
        return within_rights(self._fence, self.name)

    @property
    def confined(self) -> bool:
        """Whether the caller of now is held to rules of its own."""
        return self.fence is not self._fence

    @overload
    async def get(
        self, resource: Resource, name: str, *, deadline: Deadline, namespace: str | None = None, subresource: str = ""
    ) -> dict[str, object]: ...

    @overload
    async def get(
        self,
        resource: Resource,
        name: str,
        *,
        deadline: Deadline,
        shape: type[ShapeT],
        namespace: str | None = None,
        subresource: str = "",
    ) -> ShapeT: ...

    async def get(
        self,
        resource: Resource,
        name: str,
        *,
        deadline: Deadline,
        shape: type[object] = dict[str, object],
        namespace: str | None = None,
        subresource: str = "",
    ) -> object:
        """One object, as ``shape`` (default: a plain dict). Kinds outside namespaces ignore ``namespace``."""
        path = resource.path(namespace=self._namespace(resource, namespace), name=name, subresource=subresource)
        what = f"get {resource.display} {name}{_inside(resource, namespace)}"
        response = await self.read(resource, path, what=what, deadline=deadline)
        return decode_json(response, shape, what=what, target=self.target)

    async def metadata(
        self, resource: Resource, name: str, *, deadline: Deadline, namespace: str | None = None
    ) -> PartialObject:
        """The metadata of one object."""
        path = resource.path(namespace=self._namespace(resource, namespace), name=name)
        what = f"get {resource.display} {name}{_inside(resource, namespace)}"
        response = await self.read(resource, path, what=what, deadline=deadline, accept=METADATA)
        return decode_json(response, PartialObject, what=what, target=self.target)

    @overload
    async def create(
        self,
        resource: Resource,
        body: object,
        *,
        deadline: Deadline,
        namespace: str | None = None,
        read: bool = False,
    ) -> dict[str, object]: ...

    @overload
    async def create(
        self,
        resource: Resource,
        body: object,
        *,
        deadline: Deadline,
        shape: type[ShapeT],
        namespace: str | None = None,
        read: bool = False,
    ) -> ShapeT: ...

    async def create(
        self,
        resource: Resource,
        body: object,
        *,
        deadline: Deadline,
        shape: type[object] = dict[str, object],
        namespace: str | None = None,
        read: bool = False,
    ) -> object:
        """POST an object to its collection; ``read`` for reviews, which store nothing and may be repeated."""
        what = f"create {resource.display}{_inside(resource, namespace)}"
        response = await self.http.request(
            "POST",
            resource.path(namespace=self._namespace(resource, namespace)),
            deadline=deadline,
            headers={"Accept": JSON, "Content-Type": JSON},
            body=msgspec.json.encode(body),
            read=read,
        )
        raise_for_status(response, what=what, target=self.target)
        return decode_json(response, shape, what=what, target=self.target)

    async def read(
        self,
        resource: Resource,
        path: str,
        *,
        what: str,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        accept: str = JSON,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> HttpResponse:
        """GET a path of a resource. When the API is not there, discovery is asked once whether the kind still exists.

        Raises:
            InvalidArgument: ``unknown_kind`` when the kind is gone.
        """
        try:
            return await self.fetch(
                path, what=what, deadline=deadline, params=params, accept=accept, max_bytes=max_bytes
            )
        except KubernetesError as error:
            await self._raise_if_gone(resource, error, deadline)
            raise

    async def _raise_if_gone(self, resource: Resource, error: KubernetesError, deadline: Deadline) -> None:
        """Raise ``unknown_kind`` when the API path is not there because the cluster stopped serving the kind."""
        if not error.path_unknown or (await self.discovery.refreshed(deadline)).serves(resource):
            return
        text = f"cluster {self.name} no longer serves {resource.display} ({resource.group_version})"
        raise InvalidArgument("kind", text, code="unknown_kind") from error

    async def fetch(
        self,
        path: str,
        *,
        deadline: Deadline,
        what: str = "",
        params: Sequence[tuple[str, str]] = (),
        accept: str = JSON,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> HttpResponse:
        """GET any percent-encoded path; the answer's status is 2xx. Equal reads at the same time share one request."""
        response = await self._shared.get(path, deadline=deadline, params=params, accept=accept, max_bytes=max_bytes)
        raise_for_status(response, what=what or f"get {path}", target=self.target)
        return response

    async def write(
        self,
        resource: Resource,
        method: str,
        path: str,
        *,
        what: str,
        deadline: Deadline,
        params: Sequence[tuple[str, str]] = (),
        body: object = None,
        content: str = JSON,
    ) -> HttpResponse:
        """Send a change once, never again; the answer's status is 2xx.

        Raises:
            BackendError: ``unknown_outcome`` when it was sent and no answer came.
        """
        try:
            response = await self.http.request(
                method,
                path,
                deadline=deadline,
                params=params,
                headers={"Accept": JSON, "Content-Type": content},
                body=msgspec.json.encode(body),
                read=False,
            )
        finally:
            self.note_change()
        try:
            raise_for_status(response, what=what, target=self.target)
        except KubernetesError as error:
            await self._raise_if_gone(resource, error, deadline)
            raise
        return response

    def note_change(self) -> None:
        """Say that the cluster was changed by other means: reads from now on join none that began before."""
        self._shared.begin_anew()

    async def health(self, path: str, *, deadline: Deadline) -> HttpResponse:
        """GET a health check (``/readyz``) with its parts; status 500 says that some fail, which is no error here."""
        params = [("verbose", "")]
        response = await self.http.request(
            "GET", path, deadline=deadline, params=params, headers={"Accept": "text/plain"}, max_bytes=_ERROR_BYTES
        )
        if response.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            raise_for_status(response, what=path, target=self.target)
        return response

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        deadline: Deadline,
        what: str = "",
        params: Sequence[tuple[str, str]] = (),
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """GET a path whose body comes in parts (logs); the status is checked before the block is entered."""
        sent = {"Accept": accept, **(headers or {})}
        async with self.http.stream(
            "GET", path, deadline=deadline, params=params, headers=sent, max_bytes=max_bytes
        ) as stream:
            if not 200 <= stream.status < 300:
                body = await _beginning(stream.parts())
                answer = HttpResponse(stream.status, stream.headers, body)
                raise_for_status(answer, what=what or f"get {path}", target=self.target)
            yield stream.parts()

    @contextlib.asynccontextmanager
    async def socket(
        self,
        path: str,
        *,
        what: str,
        deadline: Deadline,
        protocols: Sequence[str],
        params: Sequence[tuple[str, str]] = (),
        read: bool = False,
    ) -> AsyncGenerator[HttpSocket]:
        """A WebSocket with one of these subprotocols; ``deadline`` is for opening it.

        Raises:
            KubernetesError: refused.
            BackendError: ``unsupported``, when the server knows none of the subprotocols.
        """
        async with self.http.socket(path, deadline=deadline, protocols=protocols, params=params, read=read) as socket:
            answer = HttpResponse(socket.status, socket.headers, socket.body)
            if answer.status == HTTPStatus.FORBIDDEN and not answer.body:
                text = f"{what}: cluster {self.name} speaks none of {', '.join(protocols)}"
                raise BackendError("unsupported", text, status=answer.status)
            if answer.status != HTTPStatus.SWITCHING_PROTOCOLS:
                raise_for_status(answer, what=what, target=self.target)
            if not socket.protocol:
                raise BackendError("bad_answer", f"{what}: cluster {self.name} opened no stream of a known kind")
            yield socket

    async def version(self, deadline: Deadline) -> VersionInfo:
        """The API server's version (``GET /version``, which every identity may read)."""
        response = await self.fetch("/version", what="version", deadline=deadline)
        return decode_json(response, VersionInfo, what="version", target=self.target)

    async def _fetch(self, path: str, *, deadline: Deadline, accept: str = JSON, etag: str = "") -> HttpResponse:
        headers = {"Accept": accept} | ({"If-None-Match": etag} if etag else {})
        response = await self.http.request("GET", path, deadline=deadline, headers=headers)
        if response.status != 304:
            raise_for_status(response, what="discovery", target=self.target)
        return response

    def _namespace(self, resource: Resource, namespace: str | None) -> str | None:
        """Where an object is: as given, else the context's namespace."""
        return (namespace or self.namespace) if resource.namespaced else None


def _inside(resource: Resource, namespace: str | None) -> str:
    return f" in {namespace}" if resource.namespaced and namespace else ""


async def _beginning(parts: AsyncIterator[bytes]) -> bytes:
    read = b""
    async for part in parts:
        read += part
        if len(read) > _ERROR_BYTES:
            break
    return read
