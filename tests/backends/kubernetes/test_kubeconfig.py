"""Kubeconfig files as kubectl reads them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cloud_native_mcp.backends.kubernetes.in_cluster import in_cluster_access
from cloud_native_mcp.backends.kubernetes.kubeconfig import Kubeconfig, default_paths, load_kubeconfig
from cloud_native_mcp.errors import ConfigError
from tests.promises import promise

CANARY = "canary-7c1e90b2d4"


def b64(text: str) -> str:
    """Base64 of a text."""
    return base64.b64encode(text.encode()).decode()


def write(folder: Path, name: str = "config", *, cluster: str = "", user: str = "token: t", extra: str = "") -> Path:
    """A kubeconfig with one context ``main``."""
    path = folder / name
    path.write_text(
        f"""
apiVersion: v1
kind: Config
current-context: main
clusters: [{{name: c, cluster: {{server: "https://api.example:6443"{", " if cluster else ""}{cluster}}}}}]
users: [{{name: u, user: {{{user}}}}}]
contexts: [{{name: main, context: {{cluster: c, user: u, namespace: shop}}}}]
{extra}
""",
        encoding="utf-8",
    )
    return path


def load(*paths: Path) -> Kubeconfig:
    """The merged files."""
    return load_kubeconfig(paths)


def problem(error: ConfigError) -> tuple[str, str]:
    """Path and text of the only problem."""
    assert len(error.problems) == 1
    return error.problems[0].path, error.problems[0].text


async def test_a_context_gives_server_namespace_and_token(tmp_path: Path) -> None:
    access = load(write(tmp_path)).access()
    assert (access.server, access.namespace, access.context) == ("https://api.example:6443", "shop", "main")
    assert access.credentials is not None
    assert await access.credentials.headers() == {"Authorization": "Bearer t"}


def test_tls_is_taken_from_data_or_from_files_beside_the_kubeconfig(tmp_path: Path) -> None:
    files = write(
        tmp_path,
        cluster="certificate-authority: pki/ca.crt, tls-server-name: inner.example",
        user="client-certificate: pki/me.crt, client-key: /abs/me.key",
    )
    tls = load(files).access().tls
    assert (tls.ca_file, tls.cert_file, tls.key_file) == (
        tmp_path / "pki/ca.crt",
        tmp_path / "pki/me.crt",
        Path("/abs/me.key"),
    )
    assert (tls.server_name, tls.verify) == ("inner.example", True)
    data = write(
        tmp_path,
        cluster=f"certificate-authority: pki/ca.crt, certificate-authority-data: {b64('CA')}",
        user=f"client-certificate-data: {b64('CERT')}, client-key-data: {b64('KEY')}",
    )
    tls = load(data).access().tls
    assert (tls.ca_data, tls.ca_file, tls.cert_data, tls.key_data) == (b"CA", None, b"CERT", b"KEY")
    assert not load(write(tmp_path, cluster="insecure-skip-tls-verify: true")).access().tls.verify


def test_of_several_files_the_first_entry_of_a_name_counts_and_missing_files_are_left_out(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.write_text("clusters: [{name: c, cluster: {server: 'https://first.example'}}]\n", encoding="utf-8")
    merged = load(first, tmp_path / "absent", write(tmp_path))
    assert merged.access().server == "https://first.example"
    assert merged.contexts == ("main",)


async def test_relative_paths_start_from_the_file_they_stand_in(tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    users = tmp_path / "users" / "config"
    users.write_text("users: [{name: u, user: {tokenFile: token}}]\n", encoding="utf-8")
    (tmp_path / "users" / "token").write_text("from-file\n", encoding="utf-8")
    access = load(users, write(tmp_path)).access()
    assert access.credentials is not None
    assert await access.credentials.headers() == {"Authorization": "Bearer from-file"}


async def test_a_token_file_is_read_again_when_it_changes_and_kept_while_it_is_gone(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one", encoding="utf-8")
    credentials = load(write(tmp_path, user="tokenFile: token")).access().credentials
    assert credentials is not None
    assert await credentials.headers() == {"Authorization": "Bearer one"}
    token.write_text("second", encoding="utf-8")
    assert await credentials.headers() == {"Authorization": "Bearer second"}
    assert not await credentials.refresh()
    token.unlink()
    assert await credentials.headers() == {"Authorization": "Bearer second"}
    token.write_text("third!", encoding="utf-8")
    assert await credentials.refresh()


def test_a_proxy_and_impersonation_are_carried_out(tmp_path: Path) -> None:
    access = load(
        write(tmp_path, cluster="proxy-url: 'http://proxy.example:3128'", user="token: t, as: jane, as-groups: [dev]")
    ).access()
    assert access.proxy == "http://proxy.example:3128"
    assert access.headers == {"Impersonate-User": "jane", "Impersonate-Group": "dev"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"user": f"username: admin, password: {CANARY}"}, "username and password are no longer taken"),
        ({"user": "auth-provider: {name: gcp}"}, "auth-provider 'gcp' is not supported"),
        ({"user": "token: t, as: jane, as-groups: [a, b]"}, "more than one of as-groups"),
        ({"user": "token: t, as-groups: [a]"}, "need as"),
        ({"user": "exec: {command: x}"}, "exec needs the apiVersion"),
        (
            {"user": "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}"},
            "cannot run in a server",
        ),
        ({"cluster": "proxy-url: 'socks5://proxy.example'"}, "proxy-url must be an http"),
        ({"cluster": "certificate-authority-data: '%%%'"}, "certificate-authority-data is not valid base64"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_at_the_start(tmp_path: Path, given: dict[str, str], words: str) -> None:
    config = load(write(tmp_path, **given))
    with pytest.raises(ConfigError) as caught:
        config.access()
    path, text = problem(caught.value)
    assert path == "kubeconfig"
    assert words in text
    assert CANARY not in str(caught.value)


def test_an_unknown_context_names_the_near_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path)).access("mian")
    assert problem(caught.value) == ("context", "'mian' is not in the kubeconfig; there are: main")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contexts: [{name: x, context: {cluster: gone}}]\ncurrent-context: x", "names the cluster 'gone'"),
        (
            "clusters: [{name: c, cluster: {}}]\ncontexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x",
            "has no server",
        ),
        (
            (
                "clusters: [{name: c, cluster: {server: s}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                "current-context: x"
            ),
            "names the user 'u'",
        ),
        ("", "is not given and the kubeconfig has no current-context"),
    ],
)
def test_references_to_nothing_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    config = load(path)
    with pytest.raises(ConfigError, match=words):
        config.access()


@promise("B20")
def test_every_file_that_cannot_be_read_is_reported_at_once(tmp_path: Path) -> None:
    bad = [tmp_path / name for name in ("yaml", "shape", "bytes")]
    bad[0].write_text("a: [", encoding="utf-8")
    bad[1].write_text("clusters: 5", encoding="utf-8")
    bad[2].write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError) as caught:
        load(*bad)
    assert [text.text.partition(":")[0] for text in caught.value.problems] == [str(path) for path in bad]


def test_no_file_at_all_is_an_error_that_names_the_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "absent")


def test_the_default_places_are_those_of_kubectl(tmp_path: Path) -> None:
    assert default_paths({}, tmp_path) == (tmp_path / ".kube" / "config",)
    assert default_paths({"KUBECONFIG": "/a:/b::/a"}, tmp_path) == (Path("/a"), Path("/b"))


async def test_inside_a_pod_its_own_account_is_used(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert in_cluster_access(environ, tmp_path) is None
    for name, text in (("token", "t1"), ("ca.crt", "CA"), ("namespace", "shop")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert in_cluster_access({}, tmp_path) is None
    access = in_cluster_access(environ, tmp_path)
    assert access is not None
    assert (access.server, access.namespace, access.tls.ca_file) == (
        "https://[fd00::1]:443",
        "shop",
        tmp_path / "ca.crt",
    )
    assert access.credentials is not None
    assert await access.credentials.headers() == {"Authorization": "Bearer t1"}
