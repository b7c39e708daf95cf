"""No caller can name a kubeconfig, a plugin, a credential or a file of the server's machine: there is no such door."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import itertools
import json
import re
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cloud_native_mcp import app as composition
from cloud_native_mcp import auth, limits, transport
from cloud_native_mcp.config.sources import load
from cloud_native_mcp.contract.call import Call
from cloud_native_mcp.contract.json_values import as_dict, as_list
from cloud_native_mcp.contract.principal import LOCAL, Principal
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.routing.request import AGGREGATE, CallRequest, Client
from cloud_native_mcp.transport.identity_headers import tells_identity
from tests.every_tool.watch import watching
from tests.promises import promise
from tools.lists import ALL, catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
    from types import ModuleType

    from cloud_native_mcp.app import App

DOORS: Final = re.compile(
    r"kube_?config|credential|password|passwd|token|secret|cert|auth|exec|plugin|proxy|impersonat|(^|_)(file|path|dir|"
    r"folder|key|host|server|address|url|uri|endpoint|user|header|env|identity|context)(s|_|$)"
)
KNOWN_ARGUMENTS: Final = {
    "utilities_fetch.url": "fetched behind the egress guard, as promised by B18 and S9 to S12",
    "helm_chart.path": "a file of a chart's archive, or a part of its values; no file of the server",
    "helm_diff.context_lines": "how many lines around a change are shown",
    "helm_repo.url": "fetched behind the egress guard, as helm_chart's addresses are",
    "helm_repo.auth": "the name of a configured credential, which goes to its own hosts only",
    "prometheus_status.path": "a part of the configuration Prometheus answers; no file",
    "kubernetes_connect.path": "a path of an application behind the API server's proxy, from which none leads out",
    "kubernetes_diff.context_lines": "how many lines around a change are shown",
    "kubernetes_events.involved_name": "an object's name",
    "kubernetes_secret_reveal.keys": "names of a Secret's entries; answered only where the operator permits it",
}
"""Arguments whose name looks like a door, and what they are."""

KNOWN_HEADERS: Final = {
    "accept": "which forms of answer the client takes",
    "access-control-request-headers": "a browser's preflight",
    "access-control-request-method": "a browser's preflight",
    "authorization": "an API key, compared with the configured ones",
    "connection": "HTTP",
    "content-length": "HTTP",
    "content-type": "HTTP",
    "host": "guard",
    "last-event-id": "where a session's stream goes on",
    "mcp-method": "compared with the body",
    "mcp-name": "compared with the body",
    "mcp-protocol-version": "which era",
    "mcp-session-id": "which session",
    "origin": "guard",
    "traceparent": "noted in audit and logs",
    "transfer-encoding": "HTTP",
    "x-api-key": "an API key, compared with the configured ones",
    "x-forwarded-for": "believed from trusted proxies only: the peer that is noted",
    "x-forwarded-host": "believed from trusted proxies only: guard",
}
"""Header fields of a request that the server reads, and what for."""

DROPPED_HEADERS: Final = frozenset(
    {
        "forwarded",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-email",
        "x-groups",
        "x-ms-client-principal",
        "x-real-ip",
        "x-tenant",
        "x-tenant-id",
        "x-user",
        "x-username",
    }
)
"""Header fields that tell an identity: they never get past the guard, unless a trusted proxy sends them."""

RESPONSE_HEADERS: Final = frozenset(
    {
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
        "allow",
        "cache-control",
        "retry-after",
        "vary",
        "www-authenticate",
        "x-accel-buffering",
    }
)
NO_HEADERS: Final = frozenset({"bearer", "close", "delete", "get", "identity", "no", "no-store", "options", "post"})


@promise("S21")
@promise("S5")
def test_no_argument_of_any_tool_is_a_door() -> None:
    entries = list(catalogue(effects=ALL, targets=2))
    assert len(entries) > 5
    doors = {
        f"{entry.name}.{name}"
        for entry in entries
        for name in as_dict(entry.schema["properties"])
        if DOORS.search(name)
    }
    assert doors - KNOWN_ARGUMENTS.keys() == set()


@promise("S21")
def test_every_header_the_server_reads_is_known_and_no_door() -> None:
    read = {name for package in (transport, auth, limits) for name in _header_names(package)}
    assert {"authorization", "host", "origin"} <= read
    assert read - KNOWN_HEADERS.keys() - DROPPED_HEADERS - RESPONSE_HEADERS - NO_HEADERS == set()
    assert all(tells_identity(name.encode()) for name in DROPPED_HEADERS)


def _header_names(package: ModuleType) -> Iterator[str]:
    """Byte strings in the code that could be the name of a header field: that is how ASGI names them."""
    for file in Path(package.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                text = node.value.decode("latin-1").lower()
                if re.fullmatch(r"[a-z]+(-[a-z]+)*", text):
                    yield text


@promise("S21")
def test_a_tool_is_given_nothing_of_a_request_but_arguments_caller_and_ids() -> None:
    """What a header says can reach a tool only through one of these."""
    assert [field.name for field in dataclasses.fields(CallRequest)] == [
        "endpoint",
        "tool",
        "arguments",
        "principal",
        "client",
        "progress",
        "request_id",
        "consent",
    ]
    assert [field.name for field in dataclasses.fields(Client)] == ["door", "peer", "protocol_version", "traceparent"]
    assert [field.name for field in dataclasses.fields(Principal)] == ["id", "method", "groups", "scopes", "claims"]
    assert set(Call.__slots__) & {"client", "headers", "peer", "request"} == set()


@pytest.fixture
async def app(tmp_path: Path) -> AsyncGenerator[App]:
    """Every service over backends that are not there."""
    kubeconfig: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "away",
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "nobody"}}],
        "clusters": [{"name": "away", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "nobody", "user": {}}],
    }
    path = tmp_path / "kubeconfig.json"
    path.write_text(json.dumps(kubeconfig), encoding="utf-8")
    flags: dict[str, object] = {
        "kubernetes": {"targets": {"away": {"kubeconfig": str(path)}}},
        "prometheus": {"targets": {"away": {"url": "http://127.0.0.1:1"}}},
        "audit": {"file": str(tmp_path / "audit.jsonl")},
        "server": {"effects": ["read", "write", "destroy"], "toolset": "extended"},
        "calls": {"quick_timeout_s": 5, "slow_timeout_s": 5, "max_timeout_s": 5},
    }
    running = composition.App(load(None, {}, flags))
    await running.start()
    assert not running.manager.failed
    yield running
    await running.close()


@promise("S21")
@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}", "@{}", "--kubeconfig={}", "exec:{}"])
async def test_a_path_in_any_text_argument_opens_no_file_and_starts_no_program(
    app: App, tmp_path: Path, form: str
) -> None:
    bait = tmp_path / "bait"
    bait.mkdir()
    (bait / "kubeconfig").write_text("token: hunter2-canary", encoding="utf-8")
    text = form.format(bait / "kubeconfig")
    calls = list(_calls(app, text))
    assert len(calls) > 20
    with watching(str(bait)) as seen:
        answers = await asyncio.gather(*(_ask(app, tool, arguments) for tool, arguments in calls))
    assert seen == []
    assert "canary" not in "".join(answers)


def test_the_watch_sees_a_file_that_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with watching(str(tmp_path)) as seen:
        (tmp_path / "file").read_text(encoding="utf-8")
    assert seen == [f"open {tmp_path / 'file'}"]


async def test_the_watch_sees_a_program_that_is_started() -> None:
    with watching() as seen:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
        await process.wait()
    assert seen[0] == f"subprocess.Popen {sys.executable}"


def _calls(app: App, text: str) -> Iterator[tuple[str, dict[str, object]]]:
    """One call per text argument of every tool that holds the text; what the tool requires besides is plain."""
    for tool in app.door.list_tools(AGGREGATE, LOCAL).tools:
        schema = as_dict(tool["inputSchema"])
        properties = as_dict(schema["properties"])
        plain = {str(name): _plain(as_dict(properties[str(name)])) for name in as_list(schema.get("required"))}
        for name, shown in properties.items():
            declared = as_dict(shown)
            if declared["type"] == "string" and "enum" not in declared:
                yield str(tool["name"]), plain | {name: text}
            elif declared["type"] == "array" and as_dict(declared["items"]).get("type") == "string":
                yield str(tool["name"]), plain | {name: [text]}


def _plain(declared: Mapping[str, object]) -> object:
    choices = as_list(declared.get("enum"))
    samples: dict[str, object] = {"string": "pods", "integer": 1, "number": 1, "boolean": False, "array": ["pods"]}
    return choices[0] if choices else samples[str(declared["type"])]


async def _ask(app: App, tool: str, arguments: Mapping[str, object]) -> str:
    request = CallRequest(
        endpoint=AGGREGATE,
        tool=tool,
        arguments=arguments,
        principal=LOCAL,
        client=Client(door="cli"),
        progress=_ignore,
        request_id=uuid.uuid4().hex,
    )
    try:
        answer = await app.door.call(request)
    except ToolError as error:
        return error.text
    return _text(answer.content)


def _text(content: Sequence[Mapping[str, object]]) -> str:
    return "".join(itertools.chain.from_iterable(str(part.get("text", "")) for part in content))


async def _ignore(done: float, total: float | None = None, message: str | None = None) -> None:
    """Nobody listens."""
