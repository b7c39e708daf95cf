"""Id tokens of a kubeconfig, refreshed at a contract issuer; the lab's API server takes what it gives."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
from cloud_native_mcp.backends.kubernetes.kubeconfig import load_kubeconfig
from cloud_native_mcp.backends.kubernetes.kubeconfig_export import kubeconfig_for
from cloud_native_mcp.backends.kubernetes.oidc import EARLY_SECONDS, PAUSE_SECONDS, OidcCredentials, expiry_of
from cloud_native_mcp.backends.kubernetes.oidc_issuer import Issuer, IssuerAddress
from cloud_native_mcp.cache.store import SegmentedCache
from cloud_native_mcp.contract.http import TlsOptions
from cloud_native_mcp.contract.json_values import as_str, dig
from cloud_native_mcp.errors import BackendError, ConfigError
from cloud_native_mcp.upstream.pool import Pool
from tests.backends.kubernetes.clusters import soon
from tests.contract_servers.oidc_issuer import CLIENT, jwt, oidc_issuer
from tests.fault_server.behaviours import answer
from tests.fault_server.server import closed_port, fault_server
from tests.services.kubernetes.scratch import scratch_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping
    from pathlib import Path

    from lab import LabEnv
    from tests.contract_servers.oidc_issuer import OidcIssuer
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request
    from tests.services.kubernetes.scratch import Scratch

SECRET = "client-secret-5b1f7c2ea9"
NOW = 1_900_000_000.0


class Clock:
    """A clock that a test turns."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def scratch(lab: LabEnv) -> Generator[Scratch]:
    """A namespace of the test's own on the lab's cluster."""
    with scratch_in(lab.state) as made:
        yield made


@pytest.fixture
async def pool() -> AsyncGenerator[Pool]:
    """The way to issuers."""
    pool = Pool()
    yield pool
    await pool.close()


def credentials(
    issuer: OidcIssuer, pool: Pool, clock: Clock, *, id_token: str = "", refresh_token: str | None = None
) -> OidcCredentials:
    """Credentials of that issuer's client."""
    address = IssuerAddress(issuer.url, CLIENT, issuer.secret, TlsOptions(ca_data=issuer.ca))
    token = issuer.refresh_token if refresh_token is None else refresh_token
    return OidcCredentials(Issuer(address, pool), id_token=id_token, refresh_token=token, clock=clock)


async def bearer(of: OidcCredentials) -> str:
    """The token that requests carry."""
    return (await of.headers())["Authorization"].removeprefix("Bearer ")


async def refused(of: OidcCredentials) -> BackendError:
    """Why there is no token."""
    with pytest.raises(BackendError) as caught:
        await of.headers()
    return caught.value


def kubeconfig(folder: Path, server: str, settings: Mapping[str, str], **cluster: object) -> Path:
    """A kubeconfig whose user has the ``oidc`` auth provider."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"auth-provider": {"name": "oidc", "config": dict(settings)}}}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    }
    path = folder / "config"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def settings_of(issuer: OidcIssuer, *, id_token: str) -> dict[str, str]:
    """The settings that ``kubectl config set-credentials`` writes."""
    return {
        "idp-issuer-url": issuer.url,
        "client-id": CLIENT,
        "client-secret": issuer.secret,
        "idp-certificate-authority-data": base64.b64encode(issuer.ca).decode(),
        "id-token": id_token,
        "refresh-token": issuer.refresh_token,
    }


@pytest.mark.lab
async def test_the_api_server_takes_the_fresh_token_in_place_of_the_expired_one(
    lab: LabEnv, scratch: Scratch, pool: Pool, tmp_path: Path
) -> None:
    scratch.make("ServiceAccount", "agent")
    path = f"/api/v1/namespaces/{scratch.namespace}/serviceaccounts/agent/token"
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = as_str(dig(scratch.api.request("POST", path, wanted), "status", "token"))
    assert expiry_of(token) > time.time() + 500
    async with oidc_issuer(lambda: token, secret=SECRET) as issuer:
        authority = base64.b64encode(lab.kube_ca.read_bytes()).decode()
        file = kubeconfig(
            tmp_path,
            lab.kube_api,
            settings_of(issuer, id_token=jwt(time.time() - 5)),
            **{"certificate-authority-data": authority},
        )
        before = file.read_bytes()
        access = load_kubeconfig([file]).access(http=pool)
        client = KubernetesClient(name="lab", access=access, http=pool, cache=SegmentedCache())
        reviews = await client.discovery.resolve("selfsubjectreviews", deadline=soon())
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answers = [await client.create(reviews, review, deadline=soon(), read=True) for _ in range(2)]
        exported = await kubeconfig_for(access, namespace="shop")
    who = {dig(one, "status", "userInfo", "username") for one in answers}
    assert who == {f"system:serviceaccount:{scratch.namespace}:agent"}
    assert len(issuer.asked) == 1
    assert file.read_bytes() == before
    assert token in json.dumps(exported)
    assert issuer.refresh_token not in json.dumps(exported)


async def test_a_token_is_used_until_shortly_before_it_expires_and_a_crowd_asks_once(pool: Pool) -> None:
    clock = Clock()
    async with oidc_issuer(lambda: jwt(clock.now + 300)) as issuer:
        own = credentials(issuer, pool, clock, id_token=jwt(NOW + 3_600, "first"))
        clock.now = NOW + 3_600 - EARLY_SECONDS - 1
        assert await bearer(own) == jwt(NOW + 3_600, "first")
        assert issuer.requests == 0
        clock.now += 2
        tokens = await asyncio.gather(*(bearer(own) for _ in range(20)))
        assert set(tokens) == {jwt(clock.now + 300)}
        assert len(issuer.asked) == 1


async def test_a_token_of_a_short_life_is_not_refreshed_at_every_request(pool: Pool) -> None:
    clock = Clock()
    async with oidc_issuer(lambda: jwt(clock.now + 20)) as issuer:
        own = credentials(issuer, pool, clock)
        for clock.now in (NOW, NOW + 9, NOW + 11):
            await bearer(own)
        assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    ("secret", "methods"),
    [
        ("", None),
        (SECRET, None),
        ("p:ss/w%rd +", ["client_secret_basic", "client_secret_post"]),
        (SECRET, ["client_secret_post"]),
    ],
)
async def test_the_client_proves_itself_in_a_way_the_issuer_takes(
    pool: Pool, secret: str, methods: list[str] | None
) -> None:
    async with oidc_issuer(lambda: jwt(NOW + 300), secret=secret, methods=methods) as issuer:
        assert await bearer(credentials(issuer, pool, Clock())) == jwt(NOW + 300)


async def test_a_replaced_refresh_token_is_used_from_then_on_and_that_is_told_once(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with oidc_issuer(lambda: jwt(clock.now + 300), rotates=True) as issuer:
        own = credentials(issuer, pool, clock)
        for clock.now in (NOW, NOW + 1_000, NOW + 2_000):
            await bearer(own)
    assert len({form["refresh_token"] for form in issuer.asked}) == 3
    told = [record.getMessage() for record in caplog.records if "replaces refresh tokens" in record.getMessage()]
    assert len(told) == 1
    assert "rt-" not in caplog.text


async def test_a_refused_token_is_replaced_and_the_request_sent_again(pool: Pool, tmp_path: Path) -> None:
    fresh, old = jwt(time.time() + 600, "fresh"), jwt(time.time() + 600, "old")

    def api(request: Request) -> Behaviour:
        if request.headers.get("authorization") != f"Bearer {fresh}":
            return answer({"kind": "Status", "code": 401}, status=401)
        return answer({"gitVersion": "v1.37.2"})

    async with oidc_issuer(lambda: fresh) as issuer, fault_server(choose=api) as server:
        file = kubeconfig(tmp_path, server.url, settings_of(issuer, id_token=old))
        access = load_kubeconfig([file]).access(http=pool)
        client = KubernetesClient(name="main", access=access, http=pool, cache=SegmentedCache())
        assert (await client.version(soon())).git_version == "v1.37.2"
        assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {old}", f"Bearer {fresh}"]


async def test_while_the_issuer_is_down_a_good_token_serves_to_its_end(pool: Pool) -> None:
    clock = Clock(NOW)
    with closed_port() as url:
        address = IssuerAddress(url.replace("http:", "https:"), CLIENT)
        own = OidcCredentials(
            Issuer(address, pool), id_token=jwt(NOW + EARLY_SECONDS / 2), refresh_token="rt", clock=clock
        )
        clock.now = NOW + EARLY_SECONDS / 2 - 1
        assert await bearer(own) == jwt(NOW + EARLY_SECONDS / 2)
        clock.now += 1 + PAUSE_SECONDS
        error = await refused(own)
    assert error.code == "unreachable"
    assert error.text.startswith("no fresh id token: oidc target 127.0.0.1:")


async def test_a_refusal_is_told_in_the_issuers_words_and_not_asked_for_again_at_once(pool: Pool) -> None:
    clock = Clock()
    async with oidc_issuer(lambda: jwt(NOW + 300), secret=SECRET) as issuer:
        own = credentials(issuer, pool, clock, refresh_token="rt-revoked-77aa01")
        error = await refused(own)
        assert error.code == "unauthorized"
        assert "refused to refresh the id token (invalid_grant: Token *** is not active); log in again" in error.text
        assert SECRET not in str(error)
        assert (await refused(own)).text == error.text
        assert len(issuer.asked) == 1
        clock.now += PAUSE_SECONDS
        await refused(own)
        assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    ("refusal", "extra", "words"),
    [
        (answer("<html>down</html>", status=503, kind="text/html"), {}, "(status 503)"),
        (answer("<html>log in</html>", kind="text/html"), {}, "OpenID Connect"),
        (None, {"id_token": None}, "OpenID Connect"),
        (None, {"id_token": ""}, "gives no id token for a refresh token"),
        (None, {"id_token": "no.token"}, "has expired or says no time"),
        (None, {"id_token": jwt(NOW - 1)}, "has expired or says no time"),
        (None, {"id_token": "a\nb.c.d"}, "no usable id token"),
    ],
)
async def test_what_is_no_fresh_token_is_refused(
    pool: Pool, refusal: Behaviour | None, extra: dict[str, object], words: str
) -> None:
    async with oidc_issuer(lambda: jwt(NOW + 300), refusal=refusal, extra=extra) as issuer:
        assert words in (await refused(credentials(issuer, pool, Clock()))).text


async def test_an_issuer_that_does_not_describe_itself_is_named(pool: Pool) -> None:
    async with oidc_issuer(lambda: jwt(NOW + 300)) as issuer:
        wrong = replace(issuer, url=issuer.url + "/nowhere")
        error = await refused(credentials(wrong, pool, Clock()))
    assert "does not describe itself at /.well-known/openid-configuration (status 404)" in error.text


async def test_a_refresh_goes_on_when_nobody_waits_for_it(pool: Pool) -> None:
    async with oidc_issuer(lambda: jwt(NOW + 300), rotates=True) as issuer:
        issuer.hold.clear()
        own = credentials(issuer, pool, Clock())
        waiting = asyncio.create_task(own.headers())
        async with asyncio.timeout(5):
            while not issuer.asked:  # noqa: ASYNC110 - the event is a request that came
                await asyncio.sleep(0.01)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        issuer.hold.set()
        assert await bearer(own) == jwt(NOW + 300)
        assert len(issuer.asked) == 1


async def test_without_a_refresh_token_the_id_token_serves_to_its_end(pool: Pool) -> None:
    clock = Clock()
    async with oidc_issuer(lambda: jwt(NOW + 300)) as issuer:
        own = credentials(issuer, pool, clock, id_token=jwt(NOW + 60), refresh_token="")
        clock.now = NOW + 59
        assert await bearer(own) == jwt(NOW + 60)
        assert not await own.refresh()
        clock.now = NOW + 60
        assert "there is no refresh-token; log in again" in (await refused(own)).text
        assert issuer.requests == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"idp-issuer-url": "http://issuer.example"}, "idp-issuer-url must be an https:// address"),
        ({"idp-issuer-url": "https://a:b@issuer.example"}, "without user and query"),
        ({"client-id": ""}, "client-id is missing"),
        ({"id-token": "", "refresh-token": ""}, "both missing"),
        ({"refresh-token": "a\nb"}, "signs that no token has"),
        ({"idp-certificate-authority-data": "%%%"}, "idp-certificate-authority-data is not valid base64"),
    ],
)
async def test_settings_that_cannot_work_are_refused_at_the_start(
    pool: Pool, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    good = {"idp-issuer-url": "https://issuer.example", "client-id": CLIENT, "refresh-token": "rt-4e81"}
    file = kubeconfig(tmp_path, "https://api.example", good | changed)
    with pytest.raises(ConfigError, match=words) as caught:
        load_kubeconfig([file]).access(http=pool)
    assert "rt-4e81" not in str(caught.value)
