"""``cloud-native-mcp keys``: API keys in the key file. Running servers follow it; none has to be started again.

A key is written once, to standard output and alone, so that it can be piped; everything else goes to standard error.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cloud_native_mcp.cli.options import ConfigOption, JsonOption, SetOption, listed, settings_from
from cloud_native_mcp.cli.output import complain, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud_native_mcp.auth.key_digest import KeyHasher
    from cloud_native_mcp.auth.key_file import KeyFile, StoredKey
    from cloud_native_mcp.auth.key_states import KeyFacts
    from cloud_native_mcp.config.settings import Settings
    from cloud_native_mcp.secrets.state_key import StateKeys

app = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)
ValueT = TypeVar("ValueT")

ExpiresOption = Annotated[
    str | None, typer.Option("--expires", metavar="WHEN", help="When the key ends: 90d, 2027-01-31, or RFC 3339.")
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Whom the key stands for; logs and the audit show it.")]


@app.command("create")
def create(
    visible_id: IdArgument,
    groups: Annotated[str, typer.Option(metavar="LIST", help="Groups of the principal: a,b.")] = "",
    scopes: Annotated[
        str | None, typer.Option(metavar="LIST", help="Narrow what it may do: read, write, destroy, kubernetes:read.")
    ] = None,
    expires: ExpiresOption = None,
    not_before: Annotated[str | None, typer.Option(metavar="WHEN", help="When the key begins to be good.")] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    *,
    another: Annotated[bool, typer.Option("--another", help="Also when the id has a key already.")] = False,
) -> None:
    """Make a key and print it: the only time it is shown."""
    from cloud_native_mcp.auth.key_changes import create as make
    from cloud_native_mcp.auth.key_changes import good_keys

    settings = settings_from(config, assignments)
    file, hasher = _opened(settings)
    now = datetime.now(UTC)
    _check_id(settings, visible_id)
    ends, begins = _moment(expires, "--expires", now), _moment(not_before, "--not-before", now)
    narrowed = _scopes(scopes)
    if ends is not None and ends <= max(now, begins or now):
        raise typer.BadParameter("--expires: the key would never be good")
    with file.changing() as keys:
        if good_keys(keys, visible_id, now) and not another:
            raise typer.BadParameter(
                f"{visible_id} has a key already; `keys rotate {visible_id}` replaces it, --another adds one"
            )
        stored, key = make(
            keys, hasher, visible_id, now=now, not_before=begins, expires=ends, groups=listed(groups), scopes=narrowed
        )
    _show_once(stored, key)


@app.command("rotate")
def rotate(
    visible_id: IdArgument,
    overlap: Annotated[str, typer.Option(metavar="DURATION", help="How long the old keys stay good.")] = "24h",
    expires: ExpiresOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Make a key with the groups and scopes of the old one and print it; the old one ends after the overlap.

    Without --expires the new key lives as long as the old one was made to.
    """
    from cloud_native_mcp.auth.key_changes import rotate as replace
    from cloud_native_mcp.contract.times import parse_duration, rfc3339

    settings = settings_from(config, assignments)
    file, hasher = _opened(settings)
    now = datetime.now(UTC)
    _check_id(settings, visible_id)
    span = _usage(lambda: parse_duration(overlap, field="--overlap"))
    ends = _moment(expires, "--expires", now)
    with file.changing() as keys:
        stored, key = _usage(lambda: replace(keys, hasher, visible_id, now=now, overlap=span, expires=ends))
    complain(f"the keys before it end at {rfc3339(now + span)} at the latest")
    _show_once(stored, key)


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="ID|KEY-ID", help="All keys of an id, or one by its key id.")],
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """End keys now. Running servers refuse them within seconds."""
    from cloud_native_mcp.auth.api_keys import REFRESH_S
    from cloud_native_mcp.auth.key_changes import revoke as end

    settings = settings_from(config, assignments)
    file, _ = _opened(settings)
    _check_id(settings, name)
    with file.changing() as keys:
        ended = _usage(lambda: end(keys, name, now=datetime.now(UTC)))
    for key in ended:
        complain(f"revoked {key.key_id} of {key.id}; running servers refuse it within {REFRESH_S:g} s")


@app.command("list")
def list_keys(config: ConfigOption = None, assignments: SetOption = None, *, json: JsonOption = False) -> None:
    """List all keys, also those of the configuration, with their state. No key is shown, nor its hash."""
    settings = settings_from(config, assignments)
    facts = known_keys(settings)
    if json:
        import msgspec

        say_json([msgspec.to_builtins(key) for key in facts])
    else:
        columns = ("ID", "KEY", "STATE", "CREATED", "EXPIRES", "GROUPS", "SCOPES")
        say_table(columns, [row for key in facts for row in _rows(key)])


@app.command("hash")
def hash_key(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Read a key from standard input and print its hash, for `auth.api_keys.NAME.key_hash`."""
    from cloud_native_mcp.auth.api_keys import MIN_KEY
    from cloud_native_mcp.auth.key_digest import KeyHasher

    settings = settings_from(config, assignments)
    key = sys.stdin.readline().rstrip("\r\n")
    if len(key) < MIN_KEY:
        raise typer.BadParameter(f"the key on standard input is shorter than {MIN_KEY} characters")
    say(str(KeyHasher(_state_keys(settings)).hash(key.encode())))


def known_keys(settings: Settings) -> tuple[KeyFacts, ...]:
    """Every key there is.

    Raises:
        ConfigError: the key file cannot be read.
    """
    from cloud_native_mcp.app import state_keys
    from cloud_native_mcp.auth.key_digest import KeyHasher
    from cloud_native_mcp.auth.key_file import KeyFile
    from cloud_native_mcp.auth.key_states import facts_of
    from cloud_native_mcp.secrets.references import SecretStore

    path = settings.auth.key_file
    stored = KeyFile(path).read() if path is not None else ()
    hasher = KeyHasher(state_keys(settings, SecretStore()))
    return facts_of(settings.auth, stored, hasher, now=datetime.now(UTC))


def _rows(key: KeyFacts) -> Iterator[tuple[str, ...]]:
    from cloud_native_mcp.contract.times import rfc3339

    created, expires = ("-" if moment is None else rfc3339(moment) for moment in (key.created, key.expires))
    scopes = "-" if key.scopes is None else ",".join(key.scopes) or "none"
    yield (key.id, key.key_id or "-", key.state, created, expires, ",".join(key.groups) or "-", scopes)


def _opened(settings: Settings) -> tuple[KeyFile, KeyHasher]:
    from cloud_native_mcp.auth.key_digest import KeyHasher
    from cloud_native_mcp.auth.key_file import KeyFile
    from cloud_native_mcp.errors import ConfigError, Problem

    path: Path | None = settings.auth.key_file
    if path is None:
        raise ConfigError([Problem("auth.key_file", "is not set: name the file that keys are kept in")])
    return KeyFile(path), KeyHasher(_state_keys(settings))


def _state_keys(settings: Settings) -> StateKeys:
    from cloud_native_mcp.app import state_keys
    from cloud_native_mcp.errors import ConfigError, Problem
    from cloud_native_mcp.secrets.references import SecretStore

    if settings.server.state_key is None:
        raise ConfigError(
            [Problem("server.state_key", "is not set, and keys the hashes; make one with `openssl rand -base64 32`")]
        )
    return state_keys(settings, SecretStore())


def _check_id(settings: Settings, visible_id: str) -> None:
    import re

    from cloud_native_mcp.auth.config import VISIBLE_ID

    if re.fullmatch(VISIBLE_ID, visible_id) is None:
        raise typer.BadParameter("ID: letters, digits and ._@- only, at most 64, the first one a letter or digit")
    if visible_id in settings.auth.api_keys:
        raise typer.BadParameter(f"{visible_id} is a key of the configuration (auth.api_keys): change it there")


def _scopes(text: str | None) -> tuple[str, ...] | None:
    from cloud_native_mcp.auth.validity import checked_scope

    if text is None:
        return None
    return _usage(lambda: tuple(map(checked_scope, listed(text))), "--scopes: ")


def _moment(text: str | None, option: str, now: datetime) -> datetime | None:
    """A duration from now, a date, or a time."""
    from cloud_native_mcp.auth.validity import MOMENT_FORMS, parse_moment
    from cloud_native_mcp.contract.times import parse_duration
    from cloud_native_mcp.errors import ToolError

    if text is None:
        return None
    try:
        return now + parse_duration(text, field=option)
    except ToolError:
        pass
    try:
        return parse_moment(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: write a duration (90d) or {MOMENT_FORMS}") from None


def _usage(work: Callable[[], ValueT], prefix: str = "") -> ValueT:
    """What the work gives; what it refuses is wrong usage."""
    from cloud_native_mcp.auth.key_changes import UnknownKey
    from cloud_native_mcp.errors import ToolError

    try:
        return work()
    except ToolError as error:
        raise typer.BadParameter(error.text) from None
    except (UnknownKey, ValueError) as error:
        raise typer.BadParameter(f"{prefix}{error}") from None


def _show_once(stored: StoredKey, key: str) -> None:
    from cloud_native_mcp.contract.times import rfc3339

    end = f"expires at {rfc3339(stored.expires)}" if stored.expires is not None else "does not expire"
    complain(f"key {stored.key_id} of {stored.id}, {end}; it is shown this once:")
    say(key)
