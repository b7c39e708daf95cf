"""Settings of authentication."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the types when it runs
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cloud_native_mcp.auth.issuer_config import Issuer, User  # noqa: TC001 - read at run time by the model
from cloud_native_mcp.auth.key_digest import HASH
from cloud_native_mcp.auth.validity import MOMENT_FORMS, SCOPE_FORMS, Moment, Scope, Validity
from cloud_native_mcp.contract.configuration import SecretReference, Section

AuthMode = Literal["api_key", "jwt", "basic", "proxy", "none"]
_SECTIONS: Final = {"api_key": "api_keys, or a key_file", "jwt": "issuers", "basic": "users"}
"""Where callers of a mode are configured."""
VISIBLE_ID = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class ApiKey(Section):
    """One key and whom it stands for."""

    key: SecretReference | None = Field(
        default=None, description="The key; at least 16 characters once resolved.", repr=False
    )
    key_hash: str | None = Field(
        default=None,
        pattern=HASH,
        description="Keyed hash of the key instead of the key, as `cloud-native-mcp keys hash` prints it.",
    )
    groups: tuple[str, ...] = Field(default=(), description="Groups of the principal the key stands for.")
    scopes: tuple[Scope, ...] | None = Field(
        default=None, description=f"Narrow what the principal's roles allow: {SCOPE_FORMS}."
    )
    not_before: Moment | None = Field(default=None, description=f"The key is good from then on: {MOMENT_FORMS}.")
    expires: Moment | None = Field(default=None, description=f"The key is refused from then on: {MOMENT_FORMS}.")

    @model_validator(mode="after")
    def _one_source(self) -> ApiKey:
        if (self.key is None) is (self.key_hash is None):
            raise ValueError("give either key or key_hash")
        return self

    @property
    def validity(self) -> Validity:
        """When the key is good."""
        return Validity(self.not_before, self.expires)


HEADER = r"^[A-Za-z0-9-]{1,64}$"


class ProxyConfig(Section):
    """How trusted proxies say whom they have authenticated."""

    user_header: str = Field(
        default="X-Forwarded-User", pattern=HEADER, description="Header that holds the id of the caller."
    )
    groups_header: str = Field(
        default="X-Forwarded-Groups", pattern=HEADER, description="Header that holds the groups of the caller."
    )
    groups_separator: str = Field(
        default=",", pattern=r"^[,;|]$", description="What stands between groups: `,`, `;` or `|`."
    )


class AuthConfig(Section):
    """Who may connect over HTTP. The terminal (`stdio` and the command line) is trusted as the person at it."""

    mode: Annotated[tuple[AuthMode, ...], BeforeValidator(_as_tuple)] = Field(
        default=("api_key",),
        min_length=1,
        description="Accepted ways to authenticate: `api_key`, `jwt`, `basic`; by default those that something is "
        "configured for. `proxy`: the word of `server.trusted_proxies`. `none`, written out, lets everyone in as "
        "`anonymous`.",
    )
    api_keys: dict[Annotated[str, Field(pattern=VISIBLE_ID)], ApiKey] = Field(
        default={},
        description="Keys by the visible id that logs and the audit show. Without any, a server whose mode is not "
        "written out is open, and listens on loopback only.",
    )
    key_file: Path | None = Field(
        default=None,
        description="File of further keys, as hashes, that `cloud-native-mcp keys` writes and running servers follow. "
        "Needs `server.state_key`. While it holds no key, nobody is let in by it.",
    )
    expiry_warning_days: float = Field(
        default=14.0, ge=0.0, le=365.0, description="How many days before a key expires warnings begin."
    )
    issuers: dict[Annotated[str, Field(pattern=VISIBLE_ID)], Issuer] = Field(
        default={}, description="Issuers of tokens, by the name that stands before the ids of their callers."
    )
    users: dict[Annotated[str, Field(pattern=VISIBLE_ID)], User] = Field(
        default={}, description="Users with passwords (HTTP Basic), by name."
    )
    proxy: ProxyConfig = Field(
        default=ProxyConfig(),
        description="With mode `proxy`: what the proxies write, and must remove from what their clients send.",
    )

    @field_validator("mode")
    @classmethod
    def _none_stands_alone(cls, mode: tuple[AuthMode, ...]) -> tuple[AuthMode, ...]:
        if "none" in mode and len(mode) > 1:
            raise ValueError("none cannot be combined with another mode")
        return mode

    @model_validator(mode="after")
    def _asked_for_keys_exist(self) -> AuthConfig:
        both = sorted(self.users.keys() & self.api_keys.keys())
        if both:
            raise ValueError(f"users and api_keys both name {', '.join(both)}: they would be one caller; rename one")
        addresses = [one.issuer for one in self.issuers.values()]
        if len(set(addresses)) < len(addresses):
            raise ValueError("two entries of issuers have the same address; put what they accept into one")
        if "mode" not in self.model_fields_set:
            return self
        for mode in self.mode:
            if mode in _SECTIONS and not self._is_configured(mode):
                raise ValueError(f"mode {mode} needs at least one entry in {_SECTIONS[mode]}")
        return self

    def accepts(self, mode: AuthMode) -> bool:
        """Whether callers may authenticate so."""
        if mode == "proxy":
            return mode in self.mode
        return self._is_configured(mode) and (mode in self.mode or "mode" not in self.model_fields_set)

    @property
    def enforced(self) -> bool:
        """Whether a caller without a valid credential is refused."""
        return any(self.accepts(mode) for mode in ("api_key", "jwt", "basic", "proxy"))

    @property
    def open_by_choice(self) -> bool:
        """Whether the operator wrote out that nobody has to authenticate."""
        return "none" in self.mode

    def _is_configured(self, mode: AuthMode) -> bool:
        """Whether there is anything to know callers of that mode by."""
        known = {"api_key": self.api_keys or self.key_file, "jwt": self.issuers, "basic": self.users}
        return bool(known.get(mode))
