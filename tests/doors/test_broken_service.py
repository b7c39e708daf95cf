"""A service whose tools are declared wrongly is left out; the others are served and listed."""

from __future__ import annotations

import logging
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp import services
from cloud_native_mcp.app import App, offline_catalogue
from cloud_native_mcp.contract.effect import Effect
from tests.config.loading import settings_of
from tests.samples.install import ABACUS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CRUMBLING = "crumbling"
FAULTS = {
    "an argument without a description": ("Meta(description=", "Meta(title="),
    "a module that cannot be imported": ("from __future__ import annotations", "import absent_of_all"),
}


@pytest.fixture(params=FAULTS, ids=list(FAULTS))
def broken(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a service with a fault in its tools, dropped in beside the others."""
    folder = tmp_path / CRUMBLING
    shutil.copytree(ABACUS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__init__.py").write_text(
        (folder / "__init__.py").read_text(encoding="utf-8").replace("abacus", CRUMBLING), encoding="utf-8"
    )
    module = folder / "tools" / "sums.py"
    sound, faulty = FAULTS[request.param]
    text = module.read_text(encoding="utf-8")
    assert sound in text
    module.write_text(text.replace(sound, faulty), encoding="utf-8")
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield CRUMBLING
    for name in set(sys.modules) - before:
        if CRUMBLING in name:
            del sys.modules[name]


async def test_the_others_are_served_and_the_broken_one_counts_as_failed(broken: str, tmp_path: Path) -> None:
    flags: dict[str, object] = {
        broken: {"enabled": True},
        "utilities": {"enabled": True},
        "audit": {"file": str(tmp_path / "audit.jsonl")},
    }
    app = App(settings_of(flags=flags))
    await app.start()
    try:
        assert set(app.manager.failed) == {broken}
        assert broken not in app.door.endpoints
        assert "utilities" in app.door.endpoints
        assert app.manager.summary()[broken] == "failed"
    finally:
        await app.close()


def test_the_list_without_a_configuration_leaves_it_out_and_says_so(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        catalogue = offline_catalogue([Effect.READ], "extended")
    assert broken not in catalogue.endpoints
    assert "utilities" in catalogue.endpoints
    assert f"service {broken} is left out" in caplog.text
