"""The repositories of this server: those of the configuration, and those that `helm_repo` added to a shared file."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from cloud_native_mcp.contract.connection import Authentication
from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.errors import ConfigError, InvalidArgument, Problem, ToolError
from cloud_native_mcp.services.helm.charts.repository import Repository, at_address

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from cloud_native_mcp.services.helm.config import ChartsConfig

MOST_ADDED: Final = 200
_SETTING: Final = "helm.charts.added_file"


class Added(msgspec.Struct, frozen=True):
    """An entry of the file: the credential is named, never held."""

    url: str
    auth: str = ""


class Repositories:
    """All repositories by name.

    Raises:
        ConfigError: the file of the added ones cannot be read.
    """

    def __init__(self, config: ChartsConfig) -> None:
        self._configured = {
            name: Repository(
                name, one.url, one.auth, one.tls.options, one.proxy, plain_http=one.plain_http, trusted=True
            )
            for name, one in config.repositories.items()
        }
        self._file = config.added_file
        self._credentials = config.credentials
        try:
            self._read()
        except ToolError as error:
            raise ConfigError([Problem(_SETTING, error.text)]) from None

    @property
    def fixed(self) -> bool:
        """Whether none can be added."""
        return self._file is None

    async def all(self) -> list[Repository]:
        """The configured ones in their order, then the added ones.

        Raises:
            ToolError: ``repo_unreachable`` when the file of the added ones cannot be read.
        """
        added = await asyncio.to_thread(self._read)
        return [*self._configured.values(), *self._repositories(added)]

    async def named(self, name: str, *, field: str = "repo") -> Repository:
        """The repository of that name.

        Raises:
            InvalidArgument: there is none; near names, or all of them, are told.
        """
        known = {one.name: one for one in await self.all()}
        if name in known:
            return known[name]
        near = nearest(name, known) or list(known)[:20]
        hint = f"there are {', '.join(near)}" if near else "none is configured; give an https:// or oci:// address"
        raise InvalidArgument(field, f"no repository is called {name[:80]!a}; {hint}", code="not_found")

    async def find(self, text: str, *, field: str = "repo") -> Repository:
        """The repository of a name or at an address; an address of a known one is that one."""
        if "://" not in text:
            return await self.named(text.strip(), field=field)
        given = at_address(text, field=field)
        return next((one for one in await self.all() if one.url == given.url), given)

    async def covering(self, url: str, *, field: str) -> Repository:
        """The repository an address of a chart belongs to, or one made of the address."""
        at_address(url, field=field)
        known = [one for one in await self.all() if one.covers(url)]
        return max(known, key=lambda one: len(one.url), default=None) or at_address(url.rpartition("/")[0], field=field)

    def proposed(self, name: str, url: str, auth: str) -> Repository:
        """The repository that would be added.

        Raises:
            InvalidArgument: the address is none, its name is taken, or the credential is unknown or not for that host.
            ToolError: ``fixed_by_config``.
        """
        given = at_address(url, field="url")
        if self._file is None:
            raise _fixed()
        if name in self._configured:
            raise _taken(name)
        self._check_credential(auth, given.url)
        return Repository(name, given.url, self._authentication(Added(given.url, auth)), added=True)

    async def add(self, repository: Repository, auth: str) -> None:
        """Keep a proposed one, with the credential of that name.

        Raises:
            InvalidArgument: its name is taken.
            ToolError: ``fixed_by_config``.
        """

        def change(added: dict[str, Added]) -> None:
            if repository.name in added:
                raise _taken(repository.name)
            if len(added) >= MOST_ADDED:
                raise ToolError("fixed_by_config", f"{MOST_ADDED} repositories were added already", kind="final")
            added[repository.name] = Added(repository.url, auth)

        await asyncio.to_thread(self._change, change)

    async def remove(self, name: str) -> None:
        """Keep an added one no longer.

        Raises:
            InvalidArgument: there is none of that name.
            ToolError: ``fixed_by_config``.
        """
        if name in self._configured:
            raise ToolError("fixed_by_config", f"{name} is a repository of the configuration", kind="final")

        def change(added: dict[str, Added]) -> None:
            if added.pop(name, None) is None:
                text = f"no repository {name[:80]!a} was added; added: {', '.join(added) or 'none'}"
                raise InvalidArgument("name", text, code="not_found")

        await asyncio.to_thread(self._change, change)

    def _repositories(self, added: Mapping[str, Added]) -> list[Repository]:
        return [
            Repository(name, one.url, self._authentication(one), added=True)
            for name, one in added.items()
            if name not in self._configured
        ]

    def _check_credential(self, auth: str, url: str) -> None:
        """Refuse a credential that is not for this host: it would be sent there."""
        if not auth:
            return
        found = self._credentials.get(auth)
        if found is None:
            known = ", ".join(self._credentials) or "none"
            raise InvalidArgument("auth", f"no credential is called {auth[:80]!a}; configured: {known}")
        if urlsplit(url).netloc.lower() not in found.hosts:
            raise InvalidArgument("auth", f"{auth} is for {', '.join(found.hosts)} only")

    def _authentication(self, added: Added) -> Authentication:
        """The named credential, if it still is for that host."""
        found = self._credentials.get(added.auth)
        return found if found is not None and urlsplit(added.url).netloc.lower() in found.hosts else Authentication()

    def _read(self) -> dict[str, Added]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Added])
        except (OSError, msgspec.DecodeError) as error:
            text = f"the file of added repositories cannot be read ({type(error).__name__})"
            raise ToolError("repo_unreachable", text, kind="final") from error

    def _change(self, change: Callable[[dict[str, Added]], None]) -> None:
        """Change the file as a whole, one at a time over all processes that share it."""
        if self._file is None:
            raise _fixed()
        try:
            with _alone(self._file):
                added = self._read()
                change(added)
                _replace(self._file, msgspec.json.format(msgspec.json.encode(added), indent=2))
        except OSError as error:
            text = f"the file of added repositories cannot be written ({type(error).__name__})"
            raise ToolError("fixed_by_config", text, kind="final") from error


def _taken(name: str) -> InvalidArgument:
    return InvalidArgument("name", f"{name} is taken by another repository", code="name_taken")


def _fixed() -> ToolError:
    text = "the list of repositories is fixed here; the operator can set helm.charts.added_file"
    return ToolError("fixed_by_config", text, kind="final")


@contextlib.contextmanager
def _alone(file: Path) -> Generator[None]:
    with file.with_name(f"{file.name}.lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(file: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(name, file)  # noqa: PTH105 - atomic
