"""Tokens of issuers: who they name, and every way in which one can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_native_mcp.auth.authenticator import Authenticator
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.credentials import AuthUnavailable, InsufficientScope, InvalidToken, Unauthenticated
from cloud_native_mcp.auth.issuer_keys import ASK_AGAIN_S, REFRESH_S
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.upstream.pool import Pool
from tests.contract_servers.token_issuer import AUDIENCE, OAUTH, OPENID, TokenIssuer, public_pem, token_issuer
from tests.fault_server.behaviours import answer, html_login, reset, stall
from tests.limits.clock import Clock
from tests.promises import promise

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.fault_server.behaviours import Behaviour

API_KEY = "ci-key-0123456789abcdef"


class Gate:
    """An authenticator for one issuer, beside an API key."""

    def __init__(self, issuer: TokenIssuer, pool: Pool) -> None:
        self.issuer = issuer
        self.clock = Clock()
        self.pool = pool

    def configured(self, **settings: object) -> Authenticator:
        entry = {"issuer": self.issuer.url, "audiences": [AUDIENCE, "https://mcp.example/mcp"], **settings}
        config = AuthConfig.model_validate({"issuers": {"idp": entry}, "api_keys": {"ci": {"key": API_KEY}}})
        return Authenticator(config, SecretStore({}), http=self.pool, clock=self.clock)


@pytest.fixture
async def gate() -> AsyncGenerator[Gate]:
    pool = Pool()
    async with token_issuer() as issuer:
        yield Gate(issuer, pool)
        await pool.close()


async def who(known: Authenticator, token: str) -> Principal:
    return await known.authenticate([(b"authorization", f"Bearer {token}".encode())])


async def test_a_good_token_is_its_caller(gate: Gate) -> None:
    known = gate.configured()
    token = gate.issuer.token(groups=["shop", "night shift"], email="jane@example.org")
    assert await who(known, token) == Principal(id="idp:jane", method="jwt", groups=("shop", "night shift"))


async def test_claims_are_mapped_as_configured(gate: Gate) -> None:
    known = gate.configured(
        id_claim="email", id_prefix="", groups_claim="realm.roles", claims=["tenant"], scope_prefix="mcp:"
    )
    token = gate.issuer.token(
        email="jane@example.org",
        realm={"roles": "ops dev"},
        tenant="blue",
        other="x",
        scope="openid mcp:kubernetes:write",
    )
    assert await who(known, token) == Principal(
        id="jane@example.org",
        method="jwt",
        groups=("ops", "dev"),
        scopes=("kubernetes:write",),
        claims={"tenant": "blue"},
    )


async def test_api_keys_and_tokens_are_accepted_side_by_side(gate: Gate) -> None:
    known = gate.configured()
    assert (await who(known, API_KEY)).method == "api_key"
    assert (await who(known, gate.issuer.token())).method == "jwt"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(issuer: TokenIssuer) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': 'first'})}.{_part(issuer.claims())}."


def _confused(issuer: TokenIssuer) -> str:
    """Signed with HMAC, with the issuer's public key as the secret (the library itself refuses to make one)."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'first'})}.{_part(issuer.claims())}"
    mac = hmac.new(public_pem(issuer.keys["first"]), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _changed(token: str) -> str:
    header, claims, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{header}.{_part(known | {'sub': 'admin'})}.{signature}"


WRONG: dict[str, tuple[Callable[[TokenIssuer], str], str]] = {
    "expired": (lambda i: i.token(exp=int(time.time()) - 61), "has expired, or clocks differ by more than 60 s"),
    "not yet valid": (lambda i: i.token(nbf=int(time.time()) + 120), "not valid yet, or clocks differ"),
    "made in the future": (lambda i: i.token(iat=int(time.time()) + 120), "not valid yet, or clocks differ"),
    "without an end": (lambda i: i.token(exp=None), "lacks the claim exp"),
    "for another audience": (lambda i: i.token(aud="another"), "for another audience"),
    "for no audience": (lambda i: i.token(aud=None), "lacks the claim aud"),
    "of another issuer": (lambda i: i.token(iss="https://evil.example"), "an issuer that is not known here"),
    "of a longer issuer": (lambda i: i.token(iss=f"{i.url}/"), "an issuer that is not known here"),
    "of no issuer": (lambda i: i.token(iss=None), "an issuer that is not known here"),
    "of nobody": (lambda i: i.token(sub=None), "lacks the claim sub"),
    "of an odd name": (lambda i: i.token(sub="jane\nadmin"), "names nobody"),
    "of a number": (lambda i: i.token(email=5, sub=""), "names nobody"),
    "unsigned": (_unsigned, "not signed in a way that is accepted"),
    "signed with the public key": (_confused, "not signed in a way that is accepted"),
    "signed by another key": (
        lambda i: i.signed(i.claims(), ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"),
        "not that of a known key",
    ),
    "of an unknown key": (lambda i: i.token(kid="first", header={"kid": "other"}), "not that of a known key"),
    "changed": (lambda i: _changed(i.token()), "not that of a known key"),
    "of another kind": (lambda i: i.token(header={"typ": "logout+jwt"}), "of a kind that is not accepted"),
    "with an extension": (lambda i: i.token(header={"crit": ["exp"]}), "is not known here"),
    "of many groups": (lambda i: i.token(groups=[f"g{n}" for n in range(300)]), "more than 256 groups"),
}


@promise("S6")
@pytest.mark.parametrize("case", sorted(WRONG))
async def test_a_wrong_token_is_refused_in_plain_words_and_appears_nowhere(
    gate: Gate, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    make, told = WRONG[case]
    known, token = gate.configured(), make(gate.issuer)
    with pytest.raises(InvalidToken) as refused:
        await who(known, token)
    assert told in refused.value.text
    for part in token.split("."):
        assert not part or part not in caplog.text + refused.value.text


@pytest.mark.parametrize("text", ["a.b.c", "..", "eyJ9.e30.x", "." * 3, "ä.b.c".encode("ascii", "ignore").decode()])
async def test_what_is_no_token_at_all_is_an_unknown_key(gate: Gate, text: str) -> None:
    with pytest.raises(Unauthenticated):
        await who(gate.configured(), text)
    assert gate.issuer.fetches == 0


async def test_clocks_may_differ_by_the_leeway(gate: Gate) -> None:
    now = int(time.time())
    known = gate.configured()
    assert (await who(known, gate.issuer.token(exp=now - 30))).id == "idp:jane"
    assert (await who(known, gate.issuer.token(nbf=now + 30, iat=now + 30))).id == "idp:jane"


async def test_a_missing_scope_is_named(gate: Gate) -> None:
    known = gate.configured(required_scopes=["mcp", "estate"])
    assert (await who(known, gate.issuer.token(scope="estate mcp other"))).id == "idp:jane"
    for token in (gate.issuer.token(scope="mcp"), gate.issuer.token(scp=["estate"]), gate.issuer.token()):
        with pytest.raises(InsufficientScope) as refused:
            await who(known, token)
        with pytest.raises(InsufficientScope):
            await who(known, gate.issuer.token(scope=5))
        assert refused.value.scopes == ("mcp", "estate")


@promise("S6")
async def test_tokens_of_unknown_keys_ask_for_the_keys_once_a_minute(gate: Gate) -> None:
    known = gate.configured()
    await who(known, gate.issuer.token())
    for number in range(20):
        with pytest.raises(InvalidToken):
            await who(known, gate.issuer.token(header={"kid": f"made-up-{number}"}))
    assert gate.issuer.fetches == 1
    gate.clock.advance(ASK_AGAIN_S)
    for number in range(20):
        with pytest.raises(InvalidToken):
            await who(known, gate.issuer.token(header={"kid": f"made-up-{number}"}))
    assert gate.issuer.fetches == 2


async def test_a_rotated_key_is_taken_up_and_the_old_one_dropped(gate: Gate) -> None:
    known = gate.configured()
    old = gate.issuer.token()
    assert (await who(known, old)).id == "idp:jane"
    gate.issuer.rotate("second")
    gate.clock.advance(ASK_AGAIN_S)
    assert (await who(known, gate.issuer.token(kid="second"))).id == "idp:jane"
    with pytest.raises(InvalidToken):
        await who(known, old)


async def test_keys_are_fetched_anew_while_those_known_serve(gate: Gate) -> None:
    known = gate.configured()
    await who(known, gate.issuer.token())
    gate.clock.advance(REFRESH_S + 1)
    await who(known, gate.issuer.token(sub="another"))
    await gate.issuer.server.wait_for(lambda: gate.issuer.fetches == 2)


@pytest.mark.parametrize(
    "fault",
    [
        answer({}, status=500),
        html_login(),
        reset(),
        answer({"keys": []}),
        answer({"keys": [{"kty": "oct", "k": "eA"}]}),
    ],
)
async def test_without_keys_a_token_cannot_be_judged(gate: Gate, fault: Behaviour) -> None:
    gate.issuer.down = fault
    known = gate.configured()
    with pytest.raises(AuthUnavailable):
        await who(known, gate.issuer.token())
    assert (await who(known, API_KEY)).id == "ci"
    gate.issuer.down = None
    gate.clock.advance(ASK_AGAIN_S)
    assert (await who(known, gate.issuer.token())).id == "idp:jane"


async def test_known_keys_serve_while_the_issuer_is_down_but_not_for_ever(gate: Gate) -> None:
    known = gate.configured(max_key_age_s=3_600)
    await who(known, gate.issuer.token())
    gate.issuer.down = answer({}, status=503)
    gate.clock.advance(3_500)
    assert (await who(known, gate.issuer.token(sub="late"))).id == "idp:late"
    gate.clock.advance(200)
    with pytest.raises(AuthUnavailable):
        await who(known, gate.issuer.token(sub="too late"))


async def test_a_description_of_another_issuer_is_not_believed(gate: Gate) -> None:
    gate.issuer.description = {OPENID: {"issuer": "https://evil.example", "jwks_uri": f"{gate.issuer.url}/keys"}}
    with pytest.raises(AuthUnavailable):
        await who(gate.configured(), gate.issuer.token())
    assert gate.issuer.fetches == 0


async def test_keys_are_not_fetched_over_plain_http_from_elsewhere(gate: Gate) -> None:
    gate.issuer.description = {OPENID: {"issuer": gate.issuer.url, "jwks_uri": "http://keys.example/keys"}}
    with pytest.raises(AuthUnavailable):
        await who(gate.configured(), gate.issuer.token())


async def test_the_description_of_oauth_serves_where_there_is_none_of_openid(gate: Gate) -> None:
    gate.issuer.description = {OAUTH: {"issuer": gate.issuer.url, "jwks_uri": f"{gate.issuer.url}/keys"}}
    assert (await who(gate.configured(), gate.issuer.token())).id == "idp:jane"


async def test_the_address_of_the_keys_can_be_given(gate: Gate) -> None:
    known = gate.configured(jwks_url=f"{gate.issuer.url}/keys")
    assert (await who(known, gate.issuer.token())).id == "idp:jane"
    assert [request.path for request in gate.issuer.server.requests] == ["/keys"]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_each_accepted_signature_is_checked_with_a_key_of_its_kind(gate: Gate, algorithm: str) -> None:
    gate.issuer.keys["curve"] = ec.generate_private_key(ec.SECP256R1())
    kid = "curve" if algorithm == "ES256" else "first"
    token = gate.issuer.token(kid=kid, algorithm=algorithm)
    assert (await who(gate.configured(), token)).id == "idp:jane"
    with pytest.raises(InvalidToken):
        await who(gate.configured(algorithms=["RS512"]), token)


async def test_a_token_without_a_key_id_needs_an_issuer_with_one_key(gate: Gate) -> None:
    token = gate.issuer.token(kid=None)
    assert (await who(gate.configured(), token)).id == "idp:jane"
    gate.issuer.keys["more"] = gate.issuer.keys["first"]
    with pytest.raises(InvalidToken):
        await who(gate.configured(), token)


async def test_a_silent_issuer_holds_up_nobody_with_an_api_key(gate: Gate) -> None:
    gate.issuer.down = stall()
    known = gate.configured()
    assert (await who(known, API_KEY)).id == "ci"
    assert gate.issuer.server.requests == []


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"issuer": "http://idp.example", "audiences": ["x"]}, "https://"),
        ({"issuer": "https://user@idp.example", "audiences": ["x"]}, "without user"),
        ({"issuer": "https://idp.example"}, "audiences"),
        ({"issuer": "https://idp.example", "audiences": []}, "audiences"),
        ({"issuer": "https://idp.example", "audiences": ["x"], "algorithms": ["HS256"]}, "algorithms"),
        ({"issuer": "https://idp.example", "audiences": ["x"], "algorithms": ["none"]}, "algorithms"),
        ({"issuer": "https://idp.example", "audiences": ["x"], "jwks_url": "http://idp.example/keys"}, "https://"),
    ],
)
def test_an_issuer_that_cannot_be_trusted_is_refused_at_the_start(entry: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        AuthConfig.model_validate({"issuers": {"idp": entry}})


@promise("B20")
@pytest.mark.parametrize(
    ("section", "text"),
    [
        (
            {"issuers": {name: {"issuer": "https://idp.example", "audiences": [name]} for name in ("a", "b")}},
            "two entries of issuers have the same address",
        ),
        ({"users": {"ann": {"password_hash": "x"}}, "api_keys": {"ann": {"key": "y" * 20}}}, "both name ann"),
    ],
)
def test_callers_that_could_be_taken_for_each_other_are_refused(section: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        AuthConfig.model_validate(section)


@promise("B20")
@pytest.mark.parametrize(("mode", "section"), [("jwt", "issuers"), ("basic", "users"), ("api_key", "api_keys")])
def test_a_mode_without_anything_to_know_callers_by_is_refused(mode: str, section: str) -> None:
    with pytest.raises(ValueError, match=f"mode {mode} needs at least one entry in {section}"):
        AuthConfig.model_validate({"mode": [mode]})
