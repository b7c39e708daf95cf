"""The file with the rules is taken up whole and valid, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.app import offline_catalogue
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.routing.permissions.config import PermissionsConfig
from cloud_native_mcp.routing.permissions.permissions import Permissions
from cloud_native_mcp.routing.permissions.policy_file import REFRESH_S
from tests.limits.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

ANN = Principal(id="ann", method="api_key")
VIEWERS = "default: [viewer]\n"
ADMINS = "default: [admin]\nrequire_human: [{effects: [destroy]}]\n"


class Case:
    """Permissions over a file, and their clock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = Clock()
        self.file.write_text(VIEWERS, encoding="utf-8")
        self.permissions = Permissions(PermissionsConfig(policy_file=file), clock=self.clock)

    def replace(self, text: str) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.file)

    @property
    def roles(self) -> tuple[str, ...]:
        """Ann's roles once the file was looked at again."""
        self.clock.advance(REFRESH_S)
        self.permissions.rights_of(ANN)
        return self.permissions.roles_of(ANN)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "policy.yaml")


def test_a_changed_file_is_taken_up(case: Case) -> None:
    before = case.permissions.rights_of(ANN)
    case.replace(ADMINS)
    assert case.permissions.rights_of(ANN) is before
    assert case.roles == ("admin",)
    assert case.permissions.rights_of(ANN) is not before


@pytest.mark.parametrize(
    "broken",
    [
        "default: [viewer",
        "default: [boss]\n",
        "rols: {}\n",
        "default: [admin]\nbindings: [{roles: [viewer]}]\n",
        "default: [admin]\nroles: {x: {allow: [{effects: [reed]}]}}\n",
        "[]\n",
        "!!python/object/apply:os.system [true]\n",
    ],
)
def test_a_file_with_a_mistake_changes_nothing_and_is_told(
    case: Case, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    case.replace(broken)
    assert case.roles == ("viewer",)
    assert "the rules read before stay" in caplog.text
    case.replace(ADMINS)
    assert case.roles == ("admin",)


def test_a_file_that_vanished_changes_nothing(case: Case) -> None:
    case.file.unlink()
    assert case.roles == ("viewer",)
    case.replace(ADMINS)
    assert case.roles == ("admin",)


def test_at_the_start_every_mistake_of_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("defaults: []\nbindings: [{roles: [viewer]}]\nroles: {x: {allow: [{tool: a}]}}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        Permissions(PermissionsConfig(policy_file=file))
    told = str(refused.value)
    assert "policy.yaml: defaults" in told
    assert "bindings[0]" in told
    assert "roles.x.allow[0].tool" in told


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ({"default": ["viewr"]}, "did you mean viewer?"),
        ({"bindings": [{"roles": ["nobody"], "groups": ["x"]}]}, "no role is called nobody"),
        ({"bindings": [{"roles": ["viewer"]}]}, "principals and groups"),
        ({"policy_file": "/etc/policy.yaml", "default": ["viewer"]}, "not in both"),
    ],
)
def test_a_mistake_in_the_section_is_told_with_the_fix(section: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("?", "\\?")):
        PermissionsConfig.model_validate(section)


def test_names_that_nothing_has_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    policy = {
        "roles": {
            "x": {"allow": [{"tools": ["kubernetes_gett"], "services": ["kubernetes"]}], "deny": [{"targets": ["?"]}]}
        },
        "require_human": [{"tools": ["helm_*"]}],
    }
    permissions = Permissions(PermissionsConfig.model_validate(policy))
    permissions.warn_of_names(offline_catalogue(list(Effect), "extended"))
    assert "permissions.roles.x.allow[0].tools: nothing is called kubernetes_gett here" in caplog.text
    assert caplog.text.count("nothing is called") == 2
