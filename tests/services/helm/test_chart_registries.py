"""helm_chart on registries: tokens, tags, digests, what is no chart."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.services.helm.sites import PACKED, only, stocked
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab import LabEnv
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request


def registry(files: Mapping[str, Behaviour], *, token: str) -> Callable[[Request], Behaviour]:
    """A registry that asks for a token of its own token service, as the token specification says."""

    def choose(request: Request) -> Behaviour:
        path = request.target.partition("?")[0]
        if path == "/token":
            return answer(json.dumps({"token": token}))
        if request.headers.get("authorization") != f"Bearer {token}":
            host = request.headers["host"]
            challenge = f'Bearer realm="http://{host}/token",service="site",scope="repository:charts/small:pull"'
            return answer("", status=401, headers={"WWW-Authenticate": challenge})
        return files.get(path, answer("{}", status=404))

    return choose


def small_in_registry(*, config: str = "application/vnd.cncf.helm.config.v1+json") -> dict[str, Behaviour]:
    digest = f"sha256:{hashlib.sha256(PACKED).hexdigest()}"
    layer = {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": digest, "size": len(PACKED)}
    manifest = {"schemaVersion": 2, "config": {"mediaType": config, "digest": digest, "size": 2}, "layers": [layer]}
    return {
        "/v2/charts/small/tags/list": answer(
            json.dumps({"name": "charts/small", "tags": ["1.0.0", "0.9.0_b.1", "latest"]})
        ),
        "/v2/charts/small/manifests/1.0.0": answer(json.dumps(manifest)),
        f"/v2/charts/small/blobs/{digest}": answer(PACKED),
    }


async def in_registry(lab: LabEnv, url: str, **arguments: object) -> str:
    auth = {"username": "reader", "password": "secret"}
    address = f"oci://{url.partition('://')[2]}/charts"
    async with stocked(lab, only(address, plain_http=True, auth=auth)) as desk:
        return (await desk.ask("chart", chart="site/small", **arguments)).text


async def test_a_registry_is_shown_the_token_it_asks_for(lab: LabEnv) -> None:
    async with fault_server(choose=registry(small_in_registry(), token="t0ken")) as site:
        text = await in_registry(lab, site.url, view="values")
        asked = [request for request in site.requests if request.target.startswith("/token")]
    assert "colour: blue" in text
    assert len(asked) == 1
    assert "scope=repository:charts/small:pull" in asked[0].target
    assert asked[0].headers["authorization"].startswith("Basic ")


async def test_tags_of_a_registry_are_versions_where_they_can_be(lab: LabEnv) -> None:
    async with fault_server(choose=registry(small_in_registry(), token="t0ken")) as site:
        text = await in_registry(lab, site.url, view="versions")
    assert "1.0.0" in text
    assert "0.9.0+b.1" in text
    assert "latest" not in text


async def test_an_image_in_a_registry_is_no_chart(lab: LabEnv) -> None:
    files = small_in_registry(config="application/vnd.oci.image.config.v1+json")
    async with fault_server(choose=registry(files, token="t0ken")) as site:
        error = await error_of(in_registry(lab, site.url))
    assert (error.code, "no Helm chart" in error.text) == ("invalid_chart", True)


async def test_content_of_another_digest_is_refused(lab: LabEnv) -> None:
    files = {path: answer(b"else") if "/blobs/" in path else found for path, found in small_in_registry().items()}
    async with fault_server(choose=registry(files, token="t0ken")) as site:
        error = await error_of(in_registry(lab, site.url))
    assert (error.code, "content that is not sha256:" in error.text) == ("repo_unreachable", True)


async def test_the_lab_registry_refuses_without_its_password(lab: LabEnv) -> None:
    async with stocked(lab, only(f"oci://{lab.registry}/charts", plain_http=True)) as desk:
        error = await error_of(desk.ask("chart", chart="site/web"))
    assert (error.code, "credentials" in error.text) == ("repo_unreachable", True)
