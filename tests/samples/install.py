"""Puts a sample service where a server finds it: as a package that pip installs, or as a folder dropped in."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ABACUS = Path(__file__).parent / "abacus"
DISTRIBUTION = "abacus_for_mcp"
MODULE = "abacus_mcp"
"""Not the folder's name in this repository, so that nothing but the installed package can be imported by it."""

_METADATA = {
    "METADATA": f"Metadata-Version: 2.1\nName: {DISTRIBUTION.replace('_', '-')}\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "entry_points.txt": f"[cloud_native_mcp.services]\nabacus = {MODULE}:SPEC\n",
}


def build_wheel(folder: Path) -> Path:
    """The abacus as a wheel with an entry point."""
    wheel = folder / f"{DISTRIBUTION}-1.0-py3-none-any.whl"
    information = f"{DISTRIBUTION}-1.0.dist-info"
    files = {f"{MODULE}/{source.relative_to(ABACUS)}": source.read_text("utf-8") for source in ABACUS.rglob("*.py")}
    files |= {f"{information}/{name}": text for name, text in _METADATA.items()}
    files[f"{information}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{information}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def install_abacus(folder: Path) -> Path:
    """Install the abacus with pip, from its wheel alone; the folder to put on the import path."""
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    command += ["--disable-pip-version-check", "--target", str(target), str(build_wheel(folder))]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return target


def announce_ledger(folder: Path) -> dict[str, str]:
    """Make the ledger an installed package for other processes; the environment variables they need for it.

    Their configuration must name it: ``plugins: [ledger]``.
    """
    information = folder / "ledger_sample-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: ledger-sample\nVersion: 1.0\n", "utf-8")
    entry_points = "[cloud_native_mcp.services]\nledger = tests.samples.ledger:SPEC\n"
    (information / "entry_points.txt").write_text(entry_points, "utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ABACUS.parent.parent.parent)])}
