from __future__ import annotations

import jsonschema
import orjson
import pytest

from cloud_native_mcp.config import environment
from cloud_native_mcp.config.documented import SettingDoc, settings
from cloud_native_mcp.config.masking import shown
from cloud_native_mcp.config.schema import json_schema
from cloud_native_mcp.config.service_types import config_types
from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.manager.discovery import discover
from tests.config.loading import settings_of

TYPES = config_types(discover(extra=["tests.samples.ledger"]))


def _paths_of(schema: dict[str, object], definitions: dict[str, object], above: str = "") -> set[str]:
    """The dotted paths of all settings in a JSON Schema, names chosen by the operator as NAME."""
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    resolved = as_dict(definitions[reference]) if reference else schema
    paths: set[str] = set()
    for name, inner in as_dict(resolved.get("properties")).items():
        paths |= _paths_of(as_dict(inner), definitions, f"{above}.{name}" if above else name)
    for named in (resolved.get("additionalProperties"), *as_dict(resolved.get("patternProperties")).values()):
        if "$ref" in as_dict(named):
            paths |= _paths_of(as_dict(named), definitions, f"{above}.NAME")
    item = as_dict(definitions.get(str(as_dict(resolved.get("items")).get("$ref", "")).rpartition("/")[2]))
    if "properties" in item:
        paths |= {above} | _paths_of(item, definitions, f"{above}[]")
    return paths or {above}


def test_the_documentation_and_the_schema_name_the_same_settings() -> None:
    schema = json_schema(TYPES)
    documented = [setting.path for setting in settings(TYPES)]
    assert len(documented) == len(set(documented))
    assert set(documented) == _paths_of(schema, as_dict(schema["$defs"]))


@pytest.mark.parametrize("setting", settings(TYPES), ids=lambda setting: setting.path)
def test_a_setting_is_described_and_its_variable_leads_to_it(setting: SettingDoc) -> None:
    assert setting.description.strip()
    assert setting.type
    tree, origins, problems = environment.read({setting.env: setting.default}, ["plugins"])
    assert not problems
    assert ".".join(next(iter(origins))) == setting.path.partition("[]")[0].replace("NAME", "name")
    assert tree
    if setting.default:
        orjson.loads(setting.default)


def test_a_good_configuration_fits_the_schema_and_a_misspelt_one_does_not() -> None:
    schema = json_schema(TYPES)
    good = shown(settings_of(flags={"ledger": {"targets": {"main": {"entries": 3}}}}))
    jsonschema.validate(good, schema)
    wrong: list[dict[str, object]] = [{"sever": {}}, {"ledger": {"targets": {"main": {"entires": 1}}}}]
    wrong.append({"server": {"port": "x"}})
    for bad in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
