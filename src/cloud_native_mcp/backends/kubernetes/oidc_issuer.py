"""An OpenID Connect issuer, asked for fresh id tokens.

https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig and
https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens; errors: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cloud_native_mcp.contract.http import HttpTarget, TlsOptions
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import scrub
from cloud_native_mcp.upstream.decode import decode_json

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpPool, HttpResponse

WELL_KNOWN: Final = "/.well-known/openid-configuration"
_SERVICE: Final = "oidc"
_BASIC: Final = "client_secret_basic"
"""How clients prove themselves when an issuer does not say."""
_MOST_BYTES: Final = 1_000_000
_SHOWN: Final = 200
ShapeT = TypeVar("ShapeT")


@dataclass(frozen=True, slots=True)
class IssuerAddress:
    """Where the issuer is and who this client is to it. ``client_secret`` is empty for public clients."""

    url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    tls: TlsOptions = field(default_factory=TlsOptions, repr=False)


class Tokens(msgspec.Struct):
    """What an issuer gives for a refresh token; a new refresh token when the old one is used up."""

    id_token: str = ""
    refresh_token: str = ""


class _Metadata(msgspec.Struct):
    token_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] | None = None


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class Issuer:
    """Requests to one issuer; every method raises `BackendError`."""

    def __init__(self, address: IssuerAddress, http: HttpPool) -> None:
        self._address = address
        self._http = http
        self.host = urlsplit(address.url).netloc

    async def refresh(self, refresh_token: str, *, deadline: Deadline) -> Tokens:
        """Fresh tokens; sent once, because a refresh token may be good for one use only.

        Raises:
            BackendError: ``unauthorized`` when the issuer refuses, with its words; else why it cannot be asked.
        """
        metadata = await self._metadata(deadline)
        endpoint = metadata.token_endpoint
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        address = self._address
        if not address.client_secret:
            form["client_id"] = address.client_id
        elif _BASIC in (metadata.token_endpoint_auth_methods_supported or (_BASIC,)):
            pair = f"{quote(address.client_id, safe='')}:{quote(address.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        else:
            form |= {"client_id": address.client_id, "client_secret": address.client_secret}
        target, path = self._target(endpoint)
        response = await self._http.client(target).request(
            "POST",
            path,
            deadline=deadline,
            headers=headers,
            body=urlencode(form).encode("ascii"),
            read=False,
            max_bytes=_MOST_BYTES,
        )
        if response.status != 200:
            raise self._refused(response, refresh_token)
        tokens = _decoded(response, Tokens, target)
        if not tokens.id_token:
            text = "gives no id token for a refresh token; log in again with the scope openid, or use an exec plugin"
            raise BackendError("unauthorized", f"the issuer {self.host} {text}")
        return tokens

    async def _metadata(self, deadline: Deadline) -> _Metadata:
        target, path = self._target(f"{self._address.url.rstrip('/')}{WELL_KNOWN}")
        response = await self._http.client(target).request(
            "GET", path, deadline=deadline, headers={"Accept": "application/json"}, max_bytes=_MOST_BYTES
        )
        if response.status != 200:
            text = f"the issuer {self.host} does not describe itself at {WELL_KNOWN} (status {response.status})"
            raise BackendError("unauthorized", text)
        metadata = _decoded(response, _Metadata, target)
        if urlsplit(metadata.token_endpoint).scheme != "https":
            raise BackendError("unauthorized", f"the issuer {self.host} names no token_endpoint with https")
        return metadata

    def _target(self, url: str) -> tuple[HttpTarget, str]:
        """The host of an address as a target, and the rest of the address."""
        parts = urlsplit(url)
        if parts.username is not None or parts.query or parts.fragment:
            raise BackendError("unauthorized", f"the issuer {self.host} names an address with a user or a query")
        base = f"{parts.scheme}://{parts.netloc}"
        return HttpTarget(_SERVICE, parts.netloc, base, tls=self._address.tls), parts.path or "/"

    def _refused(self, response: HttpResponse, refresh_token: str) -> BackendError:
        """The issuer's words without what was sent to it, should it repeat that."""
        try:
            said = msgspec.json.decode(response.body, type=_Refusal)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = _Refusal()
        words = ": ".join(filter(None, (said.error, said.error_description)))
        for secret in filter(None, (refresh_token, self._address.client_secret)):
            words = words.replace(secret, "***")
        told = " ".join(scrub(clean(words)).split())[:_SHOWN] or f"status {response.status}"
        text = f"the issuer {self.host} refused to refresh the id token ({told}); log in again"
        return BackendError("unauthorized", text)


def _decoded(response: HttpResponse, shape: type[ShapeT], target: HttpTarget) -> ShapeT:
    return decode_json(response, shape, what="OpenID Connect", target=target)
