"""The charts that the lab's chart repository and registry hold."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.processes import server_environment
from lab.scene.releases import chart_as_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.context import Lab

FOLDER = Path(__file__).parent
HELM_SECONDS = 60
VERSIONS = (
    *(("web", version) for version in ("1.2.0", "1.3.0", "1.3.1", "1.4.0-rc.1")),
    *(("report", version) for version in ("0.4.1", "0.5.0+build.7")),
)
"""Charts of the scene, in these versions."""
INCLUDED = "1.3.1"
"""The version of the web chart that lies in the shop's."""


def package(lab: Lab, into: Path) -> list[Path]:
    """Make the archives and their index, unless they are there already; the archives, oldest version first."""
    stamp = into / "made-of"
    digest = _digest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        _package(lab, into)
        stamp.write_text(digest, encoding="utf-8")
    return sorted(into.glob("*.tgz"))


def _package(lab: Lab, into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="lab-charts-") as name:
        folder = Path(name)
        for chart, version in VERSIONS:
            helm(lab, ["package", str(chart_as_of(folder, chart, version)), f"--destination={into}"])
        shop = folder / "shop"
        shutil.copytree(FOLDER / "shop", shop)
        shutil.copytree(chart_as_of(folder, "web", INCLUDED), shop / "charts" / "web")
        helm(lab, ["package", str(shop), f"--destination={into}"])
    helm(lab, ["repo", "index", str(into)])


def helm(lab: Lab, arguments: Sequence[str], *, given: str = "") -> None:
    """Run the lab's Helm with a home of its own; LabError when it fails."""
    with tempfile.TemporaryDirectory(prefix="lab-helm-") as home:
        environment = server_environment() | {"HOME": home, "HELM_REGISTRY_CONFIG": lab.data("registry.json")}
        result = subprocess.run(
            [lab.binary("helm"), *arguments],
            input=given,
            env=environment,
            capture_output=True,
            text=True,
            timeout=HELM_SECONDS,
            check=False,
        )
    if result.returncode != 0:
        raise LabError(f"helm {arguments[0]} ended with {result.returncode}: {result.stderr.strip()}")


def _digest() -> str:
    seen = hashlib.sha256(repr((VERSIONS, INCLUDED)).encode())
    folders = (FOLDER / "shop", FOLDER.parent / "scene" / "charts")
    for file in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        seen.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return seen.hexdigest()
