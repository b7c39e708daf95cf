"""Logs of a node, by its kubelet: services from the journal, files under ``/var/log``, and the list of those files.

Source: https://kubernetes.io/docs/concepts/cluster-administration/system-logs/#log-query
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cloud_native_mcp.backends.kubernetes.names import shortened
from cloud_native_mcp.backends.kubernetes.status import KubernetesError
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.times import rfc3339
from cloud_native_mcp.errors import BackendError, InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.kubelet import is_unreachable, kubelet_unreachable
from cloud_native_mcp.services.kubernetes.logs.reading import MOST_BYTES, Read, read_newest, read_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.backends.kubernetes.resources import Resource
    from cloud_native_mcp.services.kubernetes.logs.reading import Wanted

LONGEST_PATH: Final = 1_000
_SERVICE: Final = re.compile(r"[A-Za-z0-9@_-]{1,256}", re.ASCII)
"""What kubelets take for the name of a service; anything else is a file."""
_ENTRY: Final = re.compile(r'<a href="[^"\n]{0,4000}">([^<\n]{1,1000})</a>')
_LISTING_STARTS: Final = ("<pre>", "<!doctype html>")
_NO_ENTRIES: Final = "-- No entries --"


@dataclass(frozen=True, slots=True)
class NodeLog:
    """The log of a node service or file; or the files of a folder, when ``files`` is given."""

    read: Read
    files: Sequence[str] | None = None
    notes: Sequence[str] = ()


async def read_node(client: KubernetesClient, nodes: Resource, node: str, wanted: Wanted, name: str) -> NodeLog:
    """A service's or file's log, or the list of files when the name is empty or ends in ``/``.

    Raises:
        ToolError: ``node_logs_disabled``, ``kubelet_unreachable``; ``not_found`` with near names.
        KubernetesError: ``forbidden`` (get on nodes/proxy is needed), …
    """
    kubelet = _Kubelet(client, nodes.path(name=node, subresource="proxy/logs"), node, wanted)
    try:
        if _SERVICE.fullmatch(name):
            return await kubelet.service(name)
        path = checked_path(name)
        if not path or path.endswith("/"):
            return NodeLog(Read(), files=await kubelet.files(path))
        return await kubelet.file(path)
    except KubernetesError as error:
        raise _refusal(error, node) from error


def checked_path(name: str) -> str:
    """A path below ``/var/log``, without that part.

    Raises:
        InvalidArgument: too long, climbing, or holding what no file name there does.
    """
    path = name.removeprefix("/var/log/").lstrip("/")
    segments = path.rstrip("/").split("/")
    if len(path) > LONGEST_PATH or not path.isprintable() or any(s in {".", ".."} for s in segments) or "\\" in path:
        raise InvalidArgument("container", f"{shortened(name)} is not the path of a file under /var/log")
    return path


class _Kubelet:
    """The logs endpoint of one kubelet, through the API server."""

    def __init__(self, client: KubernetesClient, path: str, node: str, wanted: Wanted) -> None:
        self._client = client
        self._path = path
        self._node = node
        self._wanted = wanted

    async def service(self, name: str) -> NodeLog:
        """The journal of a service, or the file the kubelet finds for it."""
        params = [("query", name)]
        timed = [("sinceTime", rfc3339(self._wanted.since.replace(microsecond=0)))] if self._wanted.since else []
        what = f"read log of {name} on node {self._node}"
        url, deadline = f"{self._path}/", self._wanted.deadline
        read = await read_newest(
            self._client, url, self._wanted.lines, params=[*params, *timed], what=what, deadline=deadline, timed=False
        )
        if is_listing(read):
            raise self._disabled(read)
        notes: list[str] = []
        if _says(read, "options present and query resolved to log files"):
            read = await read_stream(self._client, url, params=params, what=what, deadline=deadline, timed=False)
            notes = _file_notes(read, since=bool(timed))
        if _says(read, f"log not found for {name}"):
            raise await self._no_such(name)
        read.lines = [line for line in read.lines if line.text != _NO_ENTRIES]
        return NodeLog(read, notes=notes)

    async def file(self, path: str) -> NodeLog:
        """The end of a file; or the files of a folder, when the path is one."""
        what = f"read log file {path} on node {self._node}"
        try:
            read = await read_stream(
                self._client,
                self._url(path),
                params=(),
                what=what,
                deadline=self._wanted.deadline,
                timed=False,
                headers={"Range": f"bytes=-{MOST_BYTES - 1}"},
            )
        except KubernetesError as error:
            if error.status == 301:
                return NodeLog(Read(), files=await self.files(f"{path}/"))
            if error.status == 404:
                raise await self._no_such(path) from error
            raise
        return NodeLog(read, notes=_file_notes(read, since=self._wanted.since is not None))

    async def files(self, folder: str) -> list[str]:
        """Names in a folder; those of folders end in ``/``."""
        what = f"list log files of {folder or '/var/log'} on node {self._node}"
        deadline = self._wanted.deadline
        read = await read_stream(self._client, self._url(folder), params=(), what=what, deadline=deadline, timed=False)
        return _names(read)

    def _url(self, path: str) -> str:
        return f"{self._path}/{quote(path, safe='/')}"

    async def _no_such(self, name: str) -> BackendError:
        folder = name.rpartition("/")[0]
        try:
            known = await self.files(f"{folder}/" if folder else "")
        except ToolError:
            known = []
        near = nearest(name.rpartition("/")[2], known) or known[:10]
        hint = f"; there: {', '.join(near)}" if near else ""
        text = f"no service or file {shortened(name)} under /var/log on node {self._node}{hint}"
        return BackendError("not_found", text, kind="fix", status=404)

    def _disabled(self, listing: Read) -> ToolError:
        names = ", ".join(_names(listing)[:10])
        text = (
            f"the kubelet of node {self._node} answers no queries for services (its setting enableSystemLogQuery is "
            f"off); files can be read: container=<file under /var/log>, there: {names}"
        )
        return ToolError("node_logs_disabled", text)


def is_listing(read: Read) -> bool:
    """Whether what came is a kubelet's list of files (HTML) in place of a log."""
    start = next((line.text for line in read.lines if line.text), "").lower()
    return start.startswith(_LISTING_STARTS) and any(_ENTRY.search(line.text) for line in read.lines[:5])


def _says(read: Read, words: str) -> bool:
    """Whether a kubelet answers with these words in place of a log."""
    return len(read.lines) < 5 and any(line.text.startswith(words) for line in read.lines)


def _names(read: Read) -> list[str]:
    return [html.unescape(found) for line in read.lines for found in _ENTRY.findall(line.text)]


def _file_notes(read: Read, *, since: bool) -> list[str]:
    notes: list[str] = []
    if not read.whole:
        notes.append(f"the file is larger than {MOST_BYTES // 2**20} MiB, and only its beginning was given")
    if since:
        notes.append("since is not applied to files: their lines have no common form of time")
    return notes


def _refusal(error: KubernetesError, node: str) -> ToolError:
    if is_unreachable(error):
        return kubelet_unreachable(node, error)
    if error.status == 405:
        text = f"the kubelet of node {node} serves no logs (its setting enableSystemLogHandler is off)"
        return ToolError("node_logs_disabled", text, kind="final")
    return error
