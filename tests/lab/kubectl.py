"""kubectl, as the tests of the lab call it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lab.scene import Role

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv

Object = dict[str, Any]
SECONDS = 60


@dataclass(frozen=True)
class Kubectl:
    """kubectl of a lab with the identity of a kubeconfig."""

    program: Path
    kubeconfig: Path

    @classmethod
    def admin(cls, lab: LabEnv) -> Kubectl:
        """As administrator."""
        return cls(lab.kubectl, lab.kubeconfig_admin)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever its exit status."""
        command = [str(self.program), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)

    def text(self, *arguments: str) -> str:
        """The output of a command that succeeds."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, role: Role) -> Object:
        """One object of the scene."""
        return cast("Object", json.loads(self.text("get", role.kind, role.name, "-n", role.namespace, "-o", "json")))

    def list(self, kind: str, *arguments: str) -> list[Object]:
        """Objects of a kind."""
        return cast("list[Object]", json.loads(self.text("get", kind, "-o", "json", *arguments))["items"])

    def pods(self, role: Role) -> list[Object]:
        """The pods of a workload of the scene, which all carry its name as label `app`."""
        return self.list("pods", "-n", role.namespace, "-l", f"app={role.name}")

    def events(self, name: str, namespace: str) -> list[Object]:
        """The events about one object."""
        return self.list("events", "-n", namespace, f"--field-selector=involvedObject.name={name}")


def condition(thing: Object, name: str) -> Object:
    """A condition in an object's status."""
    return next(entry for entry in thing["status"]["conditions"] if entry["type"] == name)


def named(parameter: object) -> str:
    """What a parametrised test shows of its parameter: the name of a role, anything else as it is."""
    return parameter.name if isinstance(parameter, Role) else str(parameter)
