"""The store of built artefacts, with artefacts that are quick to build."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lab import LabError
from lab.cache import Store
from lab.gobuild import GoBinary
from lab.progress import Progress
from lab.recipes import RECIPES, chosen
from lab.servers import SERVERS

if TYPE_CHECKING:
    from pathlib import Path

QUIET = Progress(quiet=True)


@dataclass
class Text:
    """An artefact of one file; the content is the recipe."""

    name: str
    content: str
    version: str = "v1"
    fails: bool = False
    builds: list[str] = field(default_factory=list[str])

    def digest(self) -> str:
        """The recipe, padded to the length of a digest."""
        return self.content.encode().hex().ljust(64, "0")

    def build(self, into: Path, *, log: Path, progress: Progress, position: str) -> None:
        """Write the file, or half of it."""
        progress.say(f"building {self.name} {position}")
        self.builds.append(position)
        (into / self.name).write_text(self.content, encoding="utf-8")
        if self.fails:
            raise LabError(f"building {self.name} failed; see {log}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


def test_an_artefact_is_built_once(store: Store) -> None:
    text = Text("a", "one")
    folder = store.build(text, progress=QUIET, position="(1 of 1)")
    assert store.build(text, progress=QUIET, position="(1 of 1)") == folder == store.get(text)
    assert text.builds == ["(1 of 1)"]
    assert (folder / "a").read_text(encoding="utf-8") == "one"


def test_a_changed_recipe_is_another_artefact_and_the_old_one_stays(store: Store) -> None:
    old, new = Text("a", "one"), Text("a", "two")
    store.build(old, progress=QUIET, position="")
    assert not store.has(new)
    assert store.build(new, progress=QUIET, position="") != store.get(old)


def test_building_one_artefact_leaves_the_others_alone(store: Store) -> None:
    there, missing = Text("a", "one"), Text("b", "two")
    store.build(there, progress=QUIET, position="")
    store.build(missing, progress=QUIET, position="")
    assert there.builds == [""]


def test_a_failed_build_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    broken = Text("a", "one", fails=True)
    with pytest.raises(LabError, match=r"build-a\.log"):
        store.build(broken, progress=QUIET, position="")
    assert not store.has(broken)
    assert list((tmp_path / "artefacts" / "a").iterdir()) == []


def test_a_missing_artefact_is_refused_with_the_command_that_builds_it(store: Store) -> None:
    with pytest.raises(LabError, match="python -m lab build"):
        store.get(Text("a", "one"))


def test_the_key_of_a_binary_follows_its_package_and_its_stamps() -> None:
    binary = GoBinary("x", "v1", "cluster", "example.com/x")
    others = [
        GoBinary("x", "v1", "cluster", "example.com/y"),
        GoBinary("x", "v1", "cluster", "example.com/x", ("example.com/x.version=v2",)),
    ]
    assert binary.digest() == GoBinary("x", "v1", "cluster", "example.com/x").digest()
    assert binary.digest() not in [other.digest() for other in others]


@pytest.mark.lab
def test_a_failed_go_build_names_its_log_and_shows_its_end(store: Store, tmp_path: Path) -> None:
    shown = io.StringIO()
    broken = GoBinary("nothing", "v1", "cluster", "k8s.io/kubernetes/cmd/no-such-command")
    with pytest.raises(LabError, match="no-such-command") as caught:
        store.build(broken, progress=Progress(stream=shown), position="(1 of 1)")
    log = tmp_path / "logs" / "build-nothing.log"
    assert str(log) in str(caught.value)
    assert log.read_text(encoding="utf-8").startswith("go build -mod=readonly")
    assert not store.has(broken)


def test_every_server_finds_its_artefacts_in_the_table() -> None:
    wanted = {name for server in SERVERS for name in server.needed}
    assert wanted <= RECIPES.keys()


def test_an_unknown_artefact_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabError, match=r"kubectll; known: .*kubectl"):
        chosen(["kubectll"])
