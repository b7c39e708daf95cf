"""The releases of the scene, installed by Helm itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lab.processes import server_environment
from lab.scene import RELEASES, load

if TYPE_CHECKING:
    from lab.context import Lab

HELM_SECONDS = 120
_VERSION = re.compile(r"^version: .*$", re.MULTILINE)


def install(lab: Lab) -> None:
    """Install every release, and upgrade it step by step."""
    with tempfile.TemporaryDirectory(prefix="lab-helm-") as folder:
        for release in load.releases():
            for step in release["steps"]:
                chart = chart_as_of(Path(folder), release["chart"], step["version"])
                _upgrade(lab, Path(folder), release, step, chart)


def chart_as_of(folder: Path, name: str, version: str) -> Path:
    """The chart as of that version, with the canary filled in."""
    place = folder / f"{name}-{version}"
    if not place.exists():
        shutil.copytree(load.CHARTS / name, place)
        for file in (place / "Chart.yaml", place / "values.yaml"):
            file.write_text(_VERSION.sub(f"version: {version}", load.text(file)), encoding="utf-8")
    return place


def _upgrade(lab: Lab, folder: Path, release: dict[str, Any], step: dict[str, Any], chart: Path) -> None:
    labels = ",".join(f"{key}={value}" for key, value in release.get("labels", {}).items())
    command = [
        str(lab.binary("helm")),
        "upgrade",
        "--install",
        release["name"],
        str(chart),
        f"--namespace={RELEASES}",
        "--values=-",
        *([f"--labels={labels}"] if labels else []),
    ]
    environment = server_environment() | {"HOME": str(folder), "KUBECONFIG": str(lab.kubeconfig("admin"))}
    result = subprocess.run(
        command,
        input=json.dumps(step["values"]),
        env={name: value for name, value in environment.items() if not name.startswith("HELM_")},
        capture_output=True,
        text=True,
        timeout=HELM_SECONDS,
        check=False,
    )
    if (result.returncode != 0) != step.get("fails", False):
        raise LabError(f"helm upgrade of {release['name']} ended with {result.returncode}: {result.stderr.strip()}")
