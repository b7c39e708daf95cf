"""Chart repositories that a test makes up: archives, indexes, and the service that reads them."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import yaml

from tests.fault_server.behaviours import answer
from tests.fault_server.server import fault_server
from tests.services.helm.program import engine
from tests.services.kubernetes.clusters import clusters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Desk
    from tests.fault_server.behaviours import Behaviour
    from tests.fault_server.wire import Request

LOOPBACK = ["127.0.0.0/8"]


def archive_of(files: Mapping[str, str | bytes], *, top: str = "small") -> bytes:
    """An archive as helm package makes them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"{top}/{path}" if top else path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


SMALL = {"Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n", "values.yaml": "colour: blue\n"}
PACKED = archive_of(SMALL)


def index_of(**charts: Sequence[Mapping[str, object]]) -> str:
    return yaml.safe_dump({"apiVersion": "v1", "entries": charts})


def served(files: Mapping[str, Behaviour]) -> Callable[[Request], Behaviour]:
    """A server of these paths."""
    return lambda request: files.get(request.target, answer("not here", status=404))


@contextlib.asynccontextmanager
async def stocked(lab: LabEnv, charts: Mapping[str, object]) -> AsyncGenerator[Desk]:
    """The service with that section of charts."""
    async with clusters(service="helm", settings={"charts": charts}, lab=lab.kubeconfig_nobody) as running:
        yield running


def only(url: str, **more: object) -> dict[str, object]:
    """One repository, called `site`, at that address."""
    return {"repositories": {"site": {"url": url, **more}}}


async def shown(lab: LabEnv, url: str, **arguments: object) -> str:
    """What the tool answers with one repository, called `site`, at that address."""
    async with stocked(lab, only(url)) as desk:
        return (await desk.ask("chart", **arguments)).text


@contextlib.asynccontextmanager
async def deploying(
    lab: LabEnv,
    *charts: Path,
    policy: Mapping[str, object] | None = None,
    fence: Mapping[str, object] | None = None,
    kubeconfig: Path | None = None,
    program: Path | None = None,
    target: Mapping[str, object] | None = None,
) -> AsyncGenerator[Desk]:
    """The service with the lab's Helm and a repository `site` of these charts; ``target`` is the cluster."""
    served_files: dict[str, Behaviour] = {}
    entries: dict[str, list[Mapping[str, object]]] = {}
    for folder in charts:
        described: dict[str, object] = json.loads((folder / "Chart.yaml").read_text(encoding="utf-8"))
        name, file = str(described["name"]), f"{folder.name}.tgz"
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        served_files[f"/{file}"] = answer(archive_of(files, top=name))
        entries.setdefault(name, []).append({**described, "urls": [file]})
    served_files["/index.yaml"] = answer(index_of(**entries))
    async with (
        fault_server(choose=served(served_files)) as site,
        clusters(
            service="helm",
            settings={
                **engine(lab, program),
                "charts": only(site.url),
                **({"targets": {"lab": target}} if target else {}),
            },
            policy=policy,
            fence=fence,
            lab=kubeconfig or lab.kubeconfig_admin,
        ) as desk,
    ):
        yield desk
