from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp import services
from cloud_native_mcp.contract.service import RESERVED_NAMES
from cloud_native_mcp.errors import ServiceDefinitionError
from cloud_native_mcp.manager.discovery import discover
from tests.promises import promise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEDGER = "tests.samples.ledger"
SPEC = """from cloud_native_mcp.contract.service import ServiceSpec
SPEC = ServiceSpec(name={name!r}, title="", summary="", config="c:C", start="s:s", tools=(), contract_version={version})
"""


def _service_folder(folder: Path, package: str, source: str) -> None:
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(source, encoding="utf-8")


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages are found as services of the server's own."""
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_services_come_in_the_order_of_their_names_and_extra_ones_after() -> None:
    names = [found.spec.name for found in discover(extra=[LEDGER])]
    assert names[:-1] == sorted(names[:-1])
    assert names[-1] == "ledger"


def test_discovery_imports_nothing_of_a_service_but_its_spec() -> None:
    look = (
        "import sys; from cloud_native_mcp.manager.discovery import discover; found = discover(); "
        "owners = tuple(f'{f.package}.' for f in found); assert len(found) > 1, found; "
        "print([name for name in sys.modules if name.startswith(owners)])"
    )
    shown = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stdout.strip() == "[]"


@promise("B20")
def test_two_services_of_one_name_are_refused_naming_both() -> None:
    with pytest.raises(
        ServiceDefinitionError, match=r"samples\.twin: the name ledger is taken by tests\.samples\.ledger"
    ):
        _discover_twin()


def _discover_twin() -> None:
    twin = type(sys)("tests.samples.twin")
    twin.__dict__["SPEC"] = discover(extra=[LEDGER])[-1].spec
    sys.modules["tests.samples.twin"] = twin
    try:
        discover(extra=[LEDGER, "tests.samples.twin"])
    finally:
        del sys.modules["tests.samples.twin"]


def test_a_service_named_twice_is_there_once() -> None:
    assert [found.spec.name for found in discover(extra=[LEDGER, LEDGER])].count("ledger") == 1


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_a_service_cannot_take_a_name_of_the_server(name: str, dropped: Path) -> None:
    _service_folder(dropped, f"taken_{name}", SPEC.format(name=name, version=1))
    with pytest.raises(ServiceDefinitionError, match=f"the name {name} is reserved"):
        discover()


def test_a_malformed_name_is_refused(dropped: Path) -> None:
    _service_folder(dropped, "odd", SPEC.format(name="../odd", version=1))
    with pytest.raises(ServiceDefinitionError, match="is no name"):
        discover()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import absent_module", "absent_module"),
        ("1 / 0", "ZeroDivisionError"),
        ("x = 1", "holds no SPEC"),
        (SPEC.format(name="broken", version=99), "contract version 99"),
        ("raise RuntimeError('password=hunter2-canary in /etc/private/file')", "RuntimeError"),
    ],
)
def test_a_service_that_cannot_be_imported_is_reported_and_the_others_are_found(
    source: str, why: str, dropped: Path
) -> None:
    expected = [found.spec.name for found in discover()]
    _service_folder(dropped, "broken", source)
    found = {service.spec.name: service for service in discover()}
    assert why in found["broken"].failure
    assert "canary" not in found["broken"].failure
    assert "/etc/private" not in found["broken"].failure
    assert [name for name, service in found.items() if not service.failure] == expected


@promise("B20")
def test_plugins_that_are_not_installed_are_all_refused_at_once() -> None:
    with pytest.raises(ServiceDefinitionError) as caught:
        discover(["absent", "missing"])
    assert "'absent'" in str(caught.value)
    assert "'missing'" in str(caught.value)
