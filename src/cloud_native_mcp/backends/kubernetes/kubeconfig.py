"""Kubeconfig files: merged as kubectl merges them, and turned into what is needed to reach a cluster.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cloud_native_mcp.backends.kubernetes.access import ClusterAccess
from cloud_native_mcp.backends.kubernetes.exec_plugin import PluginCredentials
from cloud_native_mcp.backends.kubernetes.kubeconfig_cluster import Cluster, cluster_proxy, cluster_tls
from cloud_native_mcp.backends.kubernetes.kubeconfig_user import User, user_credentials, user_headers
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import ConfigError, InvalidArgument, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloud_native_mcp.contract.http import HttpPool

EntryT = TypeVar("EntryT", bound="_Named")


class Context(msgspec.Struct, rename="kebab"):
    """A pair of cluster and user, with the namespace to use."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _Named(msgspec.Struct):
    name: str


class _NamedCluster(_Named):
    cluster: Cluster


class _NamedUser(_Named):
    user: User | None = None


class _NamedContext(_Named):
    context: Context


class _File(msgspec.Struct, rename="kebab"):
    current_context: str = ""
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    """An entry and the folder its relative paths start from."""

    entry: Any
    folder: Path


class Kubeconfig:
    """One or more merged files: of entries with one name the first counts."""

    def __init__(self, files: Sequence[tuple[_File, Path]]) -> None:
        self.current_context = next((file.current_context for file, _ in files if file.current_context), "")
        self._clusters = _first(
            (item.name, item.cluster, folder) for file, folder in files for item in file.clusters or ()
        )
        self._users = _first((item.name, item.user, folder) for file, folder in files for item in file.users or ())
        self._contexts = _first(
            (item.name, item.context, folder) for file, folder in files for item in file.contexts or ()
        )

    @property
    def contexts(self) -> tuple[str, ...]:
        """Names of the contexts, in the order of the files."""
        return tuple(self._contexts)

    def access(self, context: str | None = None, *, http: HttpPool | None = None) -> ClusterAccess:
        """What a context (without one: the current context) needs to be reached. Contacts and runs nothing.

        Args:
            http: the way to an issuer of id tokens, where the user has one.

        Raises:
            ConfigError: with every problem; paths of the problems are ``context`` and ``kubeconfig``.
        """
        name = context or self.current_context
        chosen = self._context(name)
        placed_cluster = self._clusters.get(chosen.cluster)
        if placed_cluster is None:
            raise _wrong("kubeconfig", f"context {name!r} names the cluster {chosen.cluster!r}, which is not there")
        placed_user = self._users.get(chosen.user)
        if placed_user is None and chosen.user:
            raise _wrong("kubeconfig", f"context {name!r} names the user {chosen.user!r}, which is not there")
        cluster: Cluster = placed_cluster.entry
        user: User = (placed_user.entry if placed_user else None) or User()
        user_folder = placed_user.folder if placed_user else Path()
        if not cluster.server:
            raise _wrong("kubeconfig", f"cluster {chosen.cluster!r} has no server")
        credentials = user_credentials(user, user_folder, cluster, placed_cluster.folder, http)
        tls = cluster_tls(cluster, placed_cluster.folder, user, user_folder)
        return ClusterAccess(
            server=cluster.server,
            namespace=chosen.namespace or "default",
            context=name,
            tls=tls,
            proxy=cluster_proxy(cluster),
            credentials=credentials,
            certificates=credentials if isinstance(credentials, PluginCredentials) else None,
            headers=user_headers(user),
        )

    def entries(self, context: str) -> tuple[object, ...]:
        """What a context that can be used consists of, to tell whether it changed."""
        chosen = self._context(context)
        return chosen, self._clusters.get(chosen.cluster), self._users.get(chosen.user)

    def _context(self, name: str) -> Context:
        if not name:
            raise _wrong("context", f"is not given and the kubeconfig has no current-context; one of: {self._known()}")
        placed = self._contexts.get(name)
        if placed is None:
            near = ", ".join(nearest(name, self._contexts)) or self._known()
            raise _wrong("context", f"{name!r} is not in the kubeconfig; there are: {near}")
        entry: Context = placed.entry
        return entry

    def _known(self) -> str:
        return ", ".join(list(self._contexts)[:10]) or "none"


def default_paths(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """The files kubectl would read: the list in ``KUBECONFIG``, else ``~/.kube/config``."""
    listed = [Path(item) for item in environ.get("KUBECONFIG", "").split(os.pathsep) if item]
    return tuple(dict.fromkeys(listed)) or (home / ".kube" / "config",)


def load_kubeconfig(paths: Sequence[Path]) -> Kubeconfig:
    """Read and merge the files. Of several, missing ones are left out, as kubectl does.

    Raises:
        ConfigError: no file is there, or some cannot be read or understood: all of them named.
    """
    files: list[tuple[_File, Path]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            files.append((_read(path), path.parent.absolute()))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, InvalidArgument, msgspec.ValidationError) as error:
            problems.append(Problem("kubeconfig", f"{path}: {_reason(error)}"))
    if not files and not problems:
        problems.append(Problem("kubeconfig", f"no such file: {', '.join(str(path) for path in paths)}"))
    if problems:
        raise ConfigError(problems)
    return Kubeconfig(files)


def _read(path: Path) -> _File:
    value = load_one(path.read_text("utf-8"), field="kubeconfig")
    return msgspec.convert(value if value is not None else {}, _File)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    return "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)


def _first(entries: Iterable[tuple[str, object, Path]]) -> dict[str, _Placed]:
    kept: dict[str, _Placed] = {}
    for name, entry, folder in entries:
        kept.setdefault(name, _Placed(entry, folder))
    return kept


def _wrong(path: str, text: str) -> ConfigError:
    return ConfigError([Problem(path, text)])
