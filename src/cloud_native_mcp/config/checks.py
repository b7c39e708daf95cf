"""What only the whole configuration shows: secrets that are missing, and settings that must not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.auth.api_keys import MIN_KEY
from cloud_native_mcp.config.schema_walk import root, secrets_of
from cloud_native_mcp.config.tree import dotted
from cloud_native_mcp.contract.connection import is_loopback
from cloud_native_mcp.errors import ConfigError, Problem
from cloud_native_mcp.secrets.cluster_reference import CLUSTER, parse_cluster_reference
from cloud_native_mcp.secrets.state_key import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_native_mcp.auth.config import AuthConfig
    from cloud_native_mcp.config.settings import Settings
    from cloud_native_mcp.contract.service import SecretReader


def check(settings: Settings, secrets: SecretReader) -> list[Problem]:
    """Every problem that no section shows by itself."""
    values, problems = _read_secrets(settings, secrets)
    problems += _short_state_keys(values)
    problems += _faulty_api_keys(settings.auth, values)
    problems += _key_hashes_without_a_state_key(settings)
    problems += _open_to_the_network(settings)
    problems += _proxies_nobody_trusts(settings)
    return problems


def _read_secrets(settings: Settings, secrets: SecretReader) -> tuple[dict[str, str], list[Problem]]:
    """The secrets by dotted path, and those that cannot be read. A service that stays off needs none."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for where, reference in _references_of(settings).items():
        try:
            if reference.startswith(CLUSTER) and not where.startswith("server.state_key"):
                parse_cluster_reference(reference)  # the cluster is asked when the server starts
                continue
            values[where] = secrets.read(reference)
        except ConfigError as error:
            problems += [Problem(where, f"{problem.path}: {problem.text}") for problem in error.problems]
    return values, problems


def cluster_references(settings: Settings) -> dict[str, str]:
    """The references that a running server reads from its cluster, by the setting that holds them."""
    return {where: text for where, text in _references_of(settings).items() if text.startswith(CLUSTER)}


def _references_of(settings: Settings) -> dict[str, str]:
    """The secrets of the configuration as they are written, by dotted path; none of a service that stays off."""
    found: dict[str, str] = {}
    for name, section in settings.sections.items():
        service = settings.services.get(name)
        if service is not None and not service.wanted:
            continue
        for path, reference in secrets_of(root(type(section)), section.model_dump(mode="json")):
            found[dotted((name, *path))] = reference
    return found


def _short_state_keys(values: Mapping[str, str]) -> Iterator[Problem]:
    for path, value in values.items():
        if path.startswith("server.state_key") and len(value.encode()) < KEY_BYTES:
            yield Problem(path, f"needs at least {KEY_BYTES} bytes; make one with `openssl rand -base64 32`")


def _faulty_api_keys(auth: AuthConfig, values: Mapping[str, str]) -> Iterator[Problem]:
    """Keys that can be guessed, or that stand for two callers nobody could tell apart."""
    owners: dict[str, str] = {}
    for visible_id in auth.api_keys:
        path = dotted(("auth", "api_keys", visible_id, "key"))
        value = values.get(path)
        if value is None:
            continue
        if len(value) < MIN_KEY:
            yield Problem(path, f"needs at least {MIN_KEY} characters; make one with `openssl rand -base64 32`")
        if (owner := owners.setdefault(value, visible_id)) != visible_id:
            yield Problem(path, f"is the same key as that of {owner}")


def _proxies_nobody_trusts(settings: Settings) -> Iterator[Problem]:
    if "proxy" in settings.auth.mode and not settings.server.trusted_proxies:
        yield Problem("auth.mode", "proxy needs server.trusted_proxies: nobody else's word is taken")


def _key_hashes_without_a_state_key(settings: Settings) -> Iterator[Problem]:
    """Hashes are keyed with the state key: without one, no key would be known after a restart."""
    if settings.server.state_key is not None:
        return
    hashed = [
        dotted(("auth", "api_keys", name, "key_hash")) for name, key in settings.auth.api_keys.items() if key.key_hash
    ]
    for path in [*hashed, *(["auth.key_file"] if settings.auth.key_file is not None else [])]:
        yield Problem(path, "needs server.state_key, which keys the hashes; make one with `openssl rand -base64 32`")


def _open_to_the_network(settings: Settings) -> Iterator[Problem]:
    auth, host = settings.auth, settings.server.host
    if not is_loopback(host) and not auth.enforced and not auth.open_by_choice:
        yield Problem(
            "server.host",
            f"{host} can be reached from other machines and nobody has to authenticate; "
            "add a key under auth.api_keys, or write out `auth: {mode: [none]}`",
        )
