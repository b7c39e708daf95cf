"""Settings of issuers whose tokens are accepted, and of users with passwords."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read at run time by the model
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from cloud_native_mcp.contract.configuration import SecretReference, Section
from cloud_native_mcp.contract.connection import is_loopback

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that are checked with a public key: no other is ever accepted, whatever a token says."""


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        raise ValueError("must be an address without user, query and fragment")
    if not is_secure(url):
        raise ValueError("must begin with https:// (http:// on loopback only)")
    return url


def is_secure(url: str) -> bool:
    """Whether what an address answers cannot be changed on the way: https, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


SecureAddress = Annotated[str, AfterValidator(_secure)]


class Issuer(Section):
    """One issuer of tokens (JWT), such as an OpenID Connect provider."""

    issuer: SecureAddress = Field(description="Its address, exactly as it stands in the claim `iss`.")
    audiences: tuple[str, ...] = Field(
        min_length=1, description="What `aud` must hold one of: this server as the issuer knows it."
    )
    jwks_url: SecureAddress | None = Field(
        default=None, description="Where its keys are; by default what the issuer's own description says (discovery)."
    )
    algorithms: tuple[Algorithm, ...] = Field(
        default=("RS256", "PS256", "ES256", "EdDSA"), min_length=1, description="Signatures that are accepted."
    )
    leeway_s: float = Field(default=60, ge=0, le=300, description="Seconds by which clocks may differ.")
    id_claim: str = Field(default="sub", min_length=1, description="Claim that names the caller.")
    id_prefix: str | None = Field(
        default=None,
        description="What stands before the id, so that issuers and keys are told apart; by default the name of this "
        "entry and a colon.",
    )
    groups_claim: str = Field(
        default="groups", description="Claim that holds the caller's groups; with dots, one inside another."
    )
    required_scopes: tuple[str, ...] = Field(
        default=(), description="Scopes a token must have; without one of them the answer is 403."
    )
    scope_prefix: str | None = Field(
        default=None,
        description="Scopes that begin with it narrow what the caller may do, by what follows: with `mcp:`, `mcp:read` "
        "or `mcp:kubernetes:write`. Without it scopes narrow nothing.",
    )
    claims: tuple[str, ...] = Field(default=(), description="Further claims to keep of the caller, fit to be logged.")
    max_key_age_s: float = Field(
        default=86_400,
        ge=60,
        le=2_592_000,
        description="Seconds that known keys stay good while the issuer cannot be asked.",
    )
    ca_file: Path | None = Field(default=None, description="CA certificates to trust in place of the system's.")


class User(Section):
    """A user with a password."""

    password_hash: SecretReference = Field(
        repr=False,
        description="Argon2 hash of the password, as `cloud-native-mcp auth hash-password` makes it.",
    )
    groups: tuple[str, ...] = Field(default=(), description="Groups of the user.")
