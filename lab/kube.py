"""A small client of the lab's API server: kept-alive connections, server-side apply, discovery."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import yaml

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Manifest = dict[str, Any]
Item = TypeVar("Item")
Answer = TypeVar("Answer")

CONNECTIONS = 8
REQUEST_SECONDS = 60.0
FIELD_MANAGER = "lab"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class ApiError(LabError):
    """The API server refused a request."""

    def __init__(self, status: int, method: str, path: str, message: str) -> None:
        super().__init__(f"{method} {path}: {status} {message[:600]}")
        self.status = status


class Resource:
    """Where the objects of one kind are served."""

    def __init__(self, group_version: str, plural: str, *, namespaced: bool, verbs: frozenset[str]) -> None:
        self.group_version = group_version
        self.plural = plural
        self.namespaced = namespaced
        self.verbs = verbs

    @property
    def prefix(self) -> str:
        """The path of the API group and version."""
        root = "/api" if "/" not in self.group_version else "/apis"
        return f"{root}/{self.group_version}"

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of a collection, or of one object; every namespace when none is given."""
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.prefix}{middle}/{self.plural}" + (f"/{name}" if name else "")


class KubeApi:
    """The API server as one user sees it. Threads may share it: each gets a connection of its own."""

    def __init__(self, url: str, *, authority: Path, certificate: Path, key: Path) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._tls = ssl.create_default_context(cafile=str(authority))
        self._tls.load_cert_chain(str(certificate), str(key))
        self._local = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []
        self._resources: dict[tuple[str, str], Resource] = {}

    def close(self) -> None:
        """Close every connection that was opened."""
        for connection in self._opened:
            connection.close()

    def request(
        self, method: str, path: str, body: object = None, *, accept: str = "application/json", content: str = ""
    ) -> object:
        """Send JSON, answer decoded JSON (text when it is none); ApiError for every status from 400 on."""
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept, "User-Agent": "lab"}
        if payload is not None:
            headers["Content-Type"] = content or "application/json"
        status, data = self._send(method, path, payload, headers)
        text = data.decode("utf-8", errors="replace")
        try:
            decoded: object = json.loads(text) if text else None
        except json.JSONDecodeError:
            decoded = text
        if status >= 400:
            known = cast("Manifest", decoded) if isinstance(decoded, dict) else {}
            raise ApiError(status, method, path, str(known.get("message", text)))
        return decoded

    def get(self, path: str) -> Manifest:
        """Read one object or list."""
        return cast("Manifest", self.request("GET", path))

    def find(self, path: str) -> Manifest | None:
        """Read one object; None when it does not exist."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str) -> list[Manifest]:
        """The objects of a collection."""
        return cast("list[Manifest]", self.get(path).get("items") or [])

    def apply(self, manifest: Manifest) -> Manifest:
        """Create or change an object by server-side apply, taking over fields that others own."""
        query = f"fieldManager={FIELD_MANAGER}&force=true"
        path = f"{self.path_of(manifest)}?{query}"
        return cast("Manifest", self.request("PATCH", path, manifest, content="application/apply-patch+yaml"))

    def merge(self, path: str, change: Manifest) -> Manifest:
        """Change fields of an object by JSON merge patch."""
        return cast("Manifest", self.request("PATCH", path, change, content="application/merge-patch+json"))

    def delete(self, path: str, *, grace: int | None = None) -> None:
        """Delete an object or a collection; one that is gone already is fine."""
        options: Manifest = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self.request("DELETE", path, options)
        except ApiError as error:
            if error.status != 404:
                raise

    def path_of(self, manifest: Manifest) -> str:
        """The path of the object that a manifest describes."""
        metadata = cast("Manifest", manifest["metadata"])
        resource = self.resource(str(manifest["apiVersion"]), str(manifest["kind"]))
        return resource.path(str(metadata.get("namespace", "default")), str(metadata["name"]))

    def resource(self, group_version: str, kind: str) -> Resource:
        """Where a kind is served; discovery is read again when it is not known yet."""
        if (group_version, kind) not in self._resources:
            self._resources = self._discover()
        try:
            return self._resources[group_version, kind]
        except KeyError:
            raise LabError(f"the API server does not serve {group_version} {kind}") from None

    def resources(self) -> list[tuple[str, Resource]]:
        """All kinds served now, with where they are served."""
        self._resources = self._discover()
        return [(kind, resource) for (_, kind), resource in self._resources.items()]

    def _discover(self) -> dict[tuple[str, str], Resource]:
        found: dict[tuple[str, str], Resource] = {}
        for root in ("/api", "/apis"):
            groups = cast("list[Manifest]", cast("Manifest", self.request("GET", root, accept=_DISCOVERY))["items"])
            for group in groups:
                name = str(group["metadata"].get("name", ""))
                for version in cast("list[Manifest]", group["versions"]):
                    group_version = f"{name}/{version['version']}" if name else str(version["version"])
                    for entry in cast("list[Manifest]", version.get("resources") or []):
                        kind = str(entry["responseKind"]["kind"])
                        found.setdefault((group_version, kind), _resource(group_version, entry))
        return found

    def _send(self, method: str, path: str, payload: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        fresh = getattr(self._local, "connection", None) is None
        try:
            return self._exchange(method, path, payload, headers)
        except (http.client.HTTPException, ConnectionError, OSError) as error:
            self._local.connection = None
            if fresh or isinstance(error, TimeoutError):
                raise LabError(f"{method} {path}: the API server does not answer ({error})") from error
        try:  # the kept connection had been closed by the server
            return self._exchange(method, path, payload, headers)
        except (http.client.HTTPException, OSError) as error:
            self._local.connection = None
            raise LabError(f"{method} {path}: the API server does not answer ({error})") from error

    def _exchange(self, method: str, path: str, payload: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls, timeout=REQUEST_SECONDS)
            self._local.connection = connection
            self._opened.append(connection)
        connection.request(method, path, payload, headers)
        response = connection.getresponse()
        return response.status, response.read()


def _resource(group_version: str, entry: Manifest) -> Resource:
    verbs = frozenset(cast("list[str]", entry["verbs"]))
    return Resource(group_version, entry["resource"], namespaced=entry["scope"] == "Namespaced", verbs=verbs)


def in_parallel(
    work: Callable[[Item], Answer], items: Iterable[Item], *, connections: int = CONNECTIONS
) -> list[Answer]:
    """Do the work for every item on a few threads; the first error ends it."""
    with ThreadPoolExecutor(connections) as pool:
        return list(pool.map(work, items))


def read_manifests(file: Path) -> list[Manifest]:
    """The objects in a YAML file."""
    return parse_manifests(file.read_text(encoding="utf-8"))


def parse_manifests(text: str) -> list[Manifest]:
    """The objects in YAML text; empty documents are dropped."""
    documents = cast("Iterable[Manifest | None]", yaml.safe_load_all(text))
    return [document for document in documents if document]
