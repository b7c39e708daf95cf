"""Artefacts that come out of Go modules: binaries, and files that a module carries."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from lab.progress import Progress

MODULES = Path(__file__).parent / "modules"
TAIL_LINES = 20
# One set of flags for every binary: the compiler's cache is shared only among equal flags.
# No debug information saves a third of the compile time; the tag leaves the cloud discovery out of Prometheus.
FLAGS = ("-mod=readonly", "-gcflags=all=-dwarf=false", "-tags", "remove_all_sd")


def go_environment() -> dict[str, str]:
    """The environment of every go command: this toolchain only, no C, no garbage collection while compiling."""
    settings = {"CGO_ENABLED": "0", "GOGC": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    return {**os.environ, **settings}


def _module_digest(module: str, *parts: str) -> str:
    digest = hashlib.sha256()
    for file in sorted((MODULES / module).rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(MODULES).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    for part in (platform.system(), platform.machine(), *parts):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True)
class GoBinary:
    """A command built from a package that one of the lab's modules requires."""

    name: str
    version: str
    module: str
    package: str
    stamps: tuple[str, ...] = ()

    @property
    def linker_flags(self) -> str:
        """The value of -ldflags: no symbol table, and the version stamps."""
        return " ".join(("-s -w", *(f"-X {stamp}" for stamp in self.stamps)))

    def digest(self) -> str:
        """Changes with the module's files, the flags, the package and the platform."""
        return _module_digest(self.module, *FLAGS, self.linker_flags, self.package)

    def build(self, into: Path, *, log: Path, progress: Progress, position: str) -> None:
        """Run `go build` for this package alone, showing how long it has been running."""
        jobs = ("-p", str(os.cpu_count() or 1))
        command = ["go", "build", *FLAGS, *jobs, "-ldflags", self.linker_flags, "-o", str(into / self.name)]
        _run_logged([*command, self.package], MODULES / self.module, log, progress, f"building {self.name} {position}")


@dataclass(frozen=True)
class ModuleFiles:
    """Files copied out of a required module: source path in the module → name in the artefact."""

    name: str
    version: str
    module: str
    source: str
    files: tuple[tuple[str, str], ...]

    def digest(self) -> str:
        """Changes with the module's version and the list of files."""
        return _module_digest(self.module, self.source, *(f"{pattern}\n{place}" for pattern, place in self.files))

    def build(self, into: Path, *, log: Path, progress: Progress, position: str) -> None:
        """Copy the files; each pattern must name at least one."""
        folder = self._download(log, progress, position)
        for pattern, place in self.files:
            found = sorted(folder.glob(pattern))
            if not found:
                raise LabError(f"{self.source} {self.version} has no file {pattern}")
            target = into / place
            target.mkdir(parents=True, exist_ok=True)
            for file in found:
                copied = target / file.name
                shutil.copyfile(file, copied)

    def _download(self, log: Path, progress: Progress, position: str) -> Path:
        command = ["go", "mod", "download", self.source]
        _run_logged(command, MODULES / self.module, log, progress, f"fetching {self.name} {position}")
        listing = ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", self.source]
        answer = subprocess.run(  # the module is on disk: this only prints its folder
            listing, cwd=MODULES / self.module, env=go_environment(), check=True, capture_output=True, text=True
        )
        return Path(answer.stdout.strip())


def _run_logged(command: list[str], folder: Path, log: Path, progress: Progress, label: str) -> None:
    if shutil.which("go") is None:
        raise LabError("the lab builds its servers with Go: install Go 1.26 or newer and put `go` on the PATH")
    with log.open("w", encoding="utf-8") as output, progress.work(label) as ticker:
        output.write(" ".join(command) + "\n")
        output.flush()
        process = subprocess.Popen(
            command, cwd=folder, env=go_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    ticker.tick()
        finally:
            process.kill()
            process.wait()
        if code != 0:
            raise LabError(f"{label} failed with exit code {code}; the log {log} ends with:\n{_tail(log)}")


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])
