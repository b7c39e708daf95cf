"""The releases that are listed: one that Helm made, and copies of it under other names."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab import lifecycle
from lab.kube import in_parallel
from lab.processes import server_environment
from lab.progress import Progress
from lab.scene.releases import chart_as_of
from lab.state import State, default_root

if TYPE_CHECKING:
    from lab.context import Lab
    from lab.kube import Manifest

NAMESPACE: Final = "bench-releases"
RELEASES: Final = 200
_FIRST: Final = "release-000"
_SECONDS: Final = 60


def prepare(count: int = RELEASES) -> None:
    """Fill the namespace of the lab that is up; what is there already stays."""
    lab = lifecycle.attach(State(default_root()), progress=Progress())
    try:
        lab.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        path = f"/api/v1/namespaces/{NAMESPACE}/secrets"
        there = {secret["metadata"]["labels"]["name"] for secret in lab.api.items(f"{path}?labelSelector=owner%3Dhelm")}
        if _FIRST not in there:
            _install(lab)
        first = lab.api.get(f"{path}/sh.helm.release.v1.{_FIRST}.v1")
        missing = [name for number in range(count) if (name := f"release-{number:03d}") not in there | {_FIRST}]
        in_parallel(lambda name: lab.api.request("POST", path, _copy(first, name)), missing)
    finally:
        lab.close()


def _install(lab: Lab) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-helm-") as folder:
        chart = chart_as_of(Path(folder), "web", "1.3.1")
        environment = server_environment() | {"HOME": folder, "KUBECONFIG": lab.kubeconfig("admin")}
        command = [lab.binary("helm"), "install", _FIRST, str(chart), f"--namespace={NAMESPACE}"]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=_SECONDS)


def _copy(first: Manifest, name: str) -> Manifest:
    """The Secret of the same release under another name."""
    body = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(first["data"]["release"]))))
    packed = base64.b64encode(gzip.compress(json.dumps({**body, "name": name}).encode()))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": first["type"],
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v1",
            "labels": {**first["metadata"]["labels"], "name": name},
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }
