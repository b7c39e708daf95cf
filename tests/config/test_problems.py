from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp import services
from tests.config.loading import problems_of, settings_of, write
from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

FAULTY = """
server: {port: high, effect: [read], state_key: "env:ABSENT_STATE_KEY"}
auth: {mode: [api_key, none]}
logging: {level: loud, levels: {cloud_native_mcp: silent}}
calls: {quick_timeout_s: 0}
legder: {targets: {}}
plugins: [absent_plugin]
ledger: {targets: {main: {entries: -1, pni: 1}, other: {pin: "file:/absent/pin"}}, enabled: perhaps}
prometheus: {targets: {main: {}, second: {url: "ftp://x"}}, default_target: third}
"""


@promise("B20")
def test_every_problem_of_a_configuration_is_told_at_once_with_its_path(tmp_path: Path) -> None:
    environ = {"CNMCP_RATELIMIT__BURST": "many", "CNMCP_TELEMETRY": "{"}
    problems = problems_of(write(tmp_path, FAULTY), environ, {"audit": {"fsync": "sometimes"}})
    assert {path.partition("=")[0] for path in problems} >= {
        "server.port",
        "server.effect",
        "auth.mode",
        "logging.level",
        "logging.levels.cloud_native_mcp",
        "calls.quick_timeout_s",
        "legder",
        "plugins",
        "ledger.enabled",
        "ledger.targets.main.entries",
        "ledger.targets.main.pni",
        "prometheus.targets.main.url",
        "prometheus.targets.second.url",
        "ratelimit.burst",
        "audit.fsync",
        "CNMCP_TELEMETRY",
    }
    assert problems["server.port"] == "must be a whole number"
    assert problems["server.effect"] == "unknown key; did you mean effects?"
    assert "none cannot be combined" in problems["auth.mode"]
    assert problems["legder"].startswith("unknown section; did you mean ledger?")
    assert "'absent_plugin'" in problems["plugins"]
    assert problems["ledger.targets.main.pni"] == "unknown key; did you mean pin?"
    assert problems["ledger.enabled"] == "must be true or false or 'auto'"
    assert problems["prometheus.targets.main.url"] == "is required"
    assert problems["ratelimit.burst"] == "must be a whole number (from CNMCP_RATELIMIT__BURST)"
    assert problems["audit.fsync"].endswith("(from a flag)")


@promise("B20")
def test_two_services_of_one_name_are_told_among_the_other_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "__init__.py").write_text("from tests.samples.ledger import SPEC as SPEC\n", "utf-8")
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    problems = problems_of(flags={"server": {"port": "high"}})
    monkeypatch.delitem(sys.modules, "cloud_native_mcp.services.ledger")
    assert "the name ledger is taken by cloud_native_mcp.services.ledger" in problems["services"]
    assert "server.port" in problems


@promise("B20")
def test_missing_secrets_are_told_where_they_are_named(tmp_path: Path) -> None:
    text = 'server: {state_key: ["env:ABSENT", "file:/absent/key"]}\nledger: {targets: {main: {pin: "env:PIN"}}}\n'
    assert problems_of(write(tmp_path, text)) == {
        "server.state_key[0]": "env:ABSENT: the environment variable is not set",
        "server.state_key[1]": "file:/absent/key: No such file or directory",
        "ledger.targets.main.pin": "env:PIN: the environment variable is not set",
    }


def test_a_service_that_is_off_needs_no_secret(tmp_path: Path) -> None:
    text = 'ledger: {enabled: false, targets: {main: {pin: "env:ABSENT"}}}'
    assert problems_of(write(tmp_path, text)) == {}


@promise("B20")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("server: {port: 1}\nserver: {port: 2}\n", "appears twice"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"k{n}: *b\n" for n in range(99_000)), "more than"),
        ("- server\n", "must hold sections"),
        ("server: {port: 1", "line"),
        ("server: !!python/object/apply:os.system [id]\n", "tag"),
        ("\x00", "character"),
    ],
    ids=["duplicate key", "alias bomb", "no mapping", "malformed", "tag", "control character"],
)
def test_a_file_that_is_not_plain_settings_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = write(tmp_path, text)
    assert why in problems_of(path)[str(path)]


@pytest.mark.parametrize(("content", "why"), [(b"a: \xff", "UTF-8"), (b"#" * 4_000_001, "larger"), (None, "No such")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_bytes(content)
    assert why in problems_of(path)[str(path)]


@promise("B20")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "myhost", "", "127.0.0.1.evil.example"])
def test_an_open_server_on_the_network_is_refused_unless_that_is_written_out(host: str) -> None:
    flags: dict[str, object] = {"server": {"host": host}}
    assert list(problems_of(flags=flags)) == ["server.host"]
    assert problems_of(flags=flags | {"auth": {"mode": ["none"]}}) == {}
    keyed = {"api_keys": {"me": {"key": "0123456789abcdef0123456789abcdef"}}}
    assert problems_of(flags=flags | {"auth": keyed}) == {}
    assert settings_of(flags=flags | {"auth": keyed}).auth.enforced


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost"])
def test_an_open_server_on_loopback_is_allowed(host: str) -> None:
    assert problems_of(flags={"server": {"host": host}}) == {}


def test_one_key_cannot_stand_for_two_callers() -> None:
    keys = {"a": {"key": "env:K"}, "b": {"key": "0123456789abcdef"}}
    problems = problems_of(environ={"K": "0123456789abcdef"}, flags={"auth": {"api_keys": keys}})
    assert "the same key as that of a" in problems["auth.api_keys.b.key"]


def test_a_short_api_key_is_refused() -> None:
    problems = problems_of(flags={"auth": {"api_keys": {"me": {"key": "letmein"}}}})
    assert "at least 16 characters" in problems["auth.api_keys.me.key"]


def test_a_short_state_key_is_refused() -> None:
    problems = problems_of(environ={"CNMCP_SERVER__STATE_KEY": '["short", "' + "k" * 32 + '"]'})
    assert list(problems) == ["server.state_key[0]"]
    assert "32 bytes" in problems["server.state_key[0]"]


def test_no_problem_repeats_a_secret_it_complains_of(tmp_path: Path) -> None:
    text = """
server: {state_key: hunter2-canary, public_url: "https://me:hunter2-canary@host"}
auth: {api_keys: {"": {key: hunter2-canary}, me: {key: [hunter2-canary]}}}
prometheus: {targets: {main: {url: "http://me:hunter2-canary@host", auth: {token: {a: hunter2-canary}}}}}
"""
    problems = problems_of(write(tmp_path, text), {"CNMCP_LEDGER": '{"pin": "hunter2-canary'})
    assert len(problems) > 4
    assert "canary" not in str(problems)


def test_odd_keys_are_quoted_and_cut() -> None:
    (path,) = problems_of(flags={"server": {"x\n\x1b[31m" + "y" * 500: 1}})
    assert "\n" not in path
    assert "\x1b" not in path
    assert len(path) < 120


def test_nothing_of_a_service_that_is_switched_off_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tests.samples.ledger.")]:
        monkeypatch.delitem(sys.modules, name)
    settings = settings_of(flags={"ledger": {"enabled": False, "anything": 1}})
    assert "ledger" not in settings.services
    assert "tests.samples.ledger.config" not in sys.modules


def test_a_service_whose_settings_cannot_be_imported_is_unusable_and_the_others_are_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tests.samples.ledger.config", None)
    settings = settings_of()
    assert "ModuleNotFoundError" in settings.unusable["ledger"]
    assert "prometheus" in settings.services
