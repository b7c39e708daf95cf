from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.config import file as config_file
from cloud_native_mcp.config.flags import assigned
from cloud_native_mcp.errors import ConfigError
from tests.config.loading import problems_of, settings_of, write
from tests.samples.ledger.config import LedgerConfig

if TYPE_CHECKING:
    from cloud_native_mcp.config.settings import Settings


def _ledger(settings: Settings) -> LedgerConfig:
    section = settings.services["ledger"]
    assert isinstance(section, LedgerConfig)
    return section


def test_without_any_source_everything_has_its_default() -> None:
    settings = settings_of()
    assert settings.server.port == 8765
    assert settings.auth.mode == ("api_key",)
    assert [effect.value for effect in settings.server.effects] == ["read"]
    assert settings.file is None
    assert settings.given == {"kubernetes"}


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "server: {port: 1, toolset: extended, graceful_shutdown_s: 3}\ncalls: {slow_timeout_s: 9}")
    environ = {"CNMCP_SERVER__PORT": "2", "CNMCP_SERVER__TOOLSET": "core"}
    settings = settings_of(path, environ, {"server": {"port": 3}})
    server = settings.server
    assert (server.port, server.toolset, server.graceful_shutdown_s) == (3, "core", 3)
    assert settings.calls.slow_timeout_s == 9
    assert settings.file == path


def test_a_nested_variable_reaches_a_target_in_lower_case() -> None:
    environ = {"CNMCP_LEDGER__TARGETS__MAIN__ENTRIES": "7", "CNMCP_LEDGER__TARGETS__OTHER__PIN": "env:PIN", "PIN": "1"}
    targets = _ledger(settings_of(environ=environ)).targets
    assert targets["main"].entries == 7
    assert targets["other"].pin == "env:PIN"


def test_a_variable_that_starts_like_json_is_json_and_a_deeper_one_lies_over_it() -> None:
    environ = {
        "CNMCP_LEDGER": '{"targets": {"Prod-EU": {"entries": 1}, "main": {"entries": 2}}}',
        "CNMCP_LEDGER__TARGETS__MAIN__ENTRIES": "3",
        "CNMCP_SERVER__EFFECTS": '["read", "write"]',
    }
    settings = settings_of(environ=environ)
    assert {name: target.entries for name, target in _ledger(settings).targets.items()} == {"Prod-EU": 1, "main": 3}
    assert [effect.value for effect in settings.server.effects] == ["read", "write"]


def test_variables_of_other_programs_with_the_same_prefix_change_nothing() -> None:
    others = {
        "CNMCP_SOMETHING_ELSE": "x",
        "CNMCP_SERVER_PORT": "tcp://10.0.0.1:8765",
        "CNMCP_SERVER_SERVICE_HOST": "10.0.0.1",
        "cnmcp_server__port": "1",
    }
    assert settings_of(environ=others).server == settings_of().server


def test_a_variable_with_one_underscore_too_few_is_told_with_its_right_name() -> None:
    problems = problems_of(environ={"CNMCP_SERVER_PORT": "1", "CNMCP_LEDGER_ENABLED": "true"})
    assert "CNMCP_SERVER__PORT" in problems["CNMCP_SERVER_PORT"]
    assert "CNMCP_LEDGER__ENABLED" in problems["CNMCP_LEDGER_ENABLED"]


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"CNMCP_SERVER": "[not json"}, "not JSON"),
        ({"CNMCP_SERVER__PORT": "1", "CNMCP_SERVER__PORT__X": "2"}, "clashes"),
        ({"CNMCP_SERVER____PORT": "1"}, "empty part"),
        ({"CNMCP_SERVER__PORT": "1", "CNMCP_SERVER__Port": "2"}, "the same as"),
    ],
)
def test_a_malformed_variable_is_refused_by_its_name(environ: dict[str, str], why: str) -> None:
    (problem,) = [text for path, text in problems_of(environ=environ).items() if path.startswith("CNMCP_")]
    assert why in problem


def test_an_empty_section_means_its_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "server:\nledger:\n")
    assert settings_of(path).server == settings_of().server


def test_the_file_asked_for_comes_before_the_named_one_and_that_before_the_usual_places(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    places = (first, second)
    assert config_file.find(None, {}, places) is None
    second.touch()
    assert config_file.find(None, {}, places) == second
    first.touch()
    assert config_file.find(None, {}, places) == first
    assert config_file.find(None, {"CNMCP_CONFIG": "/named"}, places) == Path("/named")
    assert config_file.find(Path("/asked"), {"CNMCP_CONFIG": "/named"}, places) == Path("/asked")


def test_assignments_of_flags_nest_and_may_be_json() -> None:
    assert assigned(["server.port=1", 'server.effects=["read"]', "a.b.c=x=y"]) == {
        "server": {"port": "1", "effects": ["read"]},
        "a": {"b": {"c": "x=y"}},
    }


def test_every_malformed_assignment_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        assigned(["novalue", "=x", "a..b=1", "a={", "b=1", "b.c=2"])
    assert [problem.path for problem in caught.value.problems] == [
        "--set novalue",
        "--set ",
        "--set a..b",
        "--set a",
        "--set b.c",
    ]
