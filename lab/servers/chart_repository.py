"""A chart repository: archives and their index, as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab import charts
from lab.ports import HOST
from lab.probes import answers
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab


class ChartRepository(Server):
    """What most chart repositories are: a web server of files, here Python's."""

    name = "chart-repository"
    artefacts = ("helm",)
    built = False
    ports = ("chart-repository",)

    def configure(self, lab: Lab) -> tuple[Path, ...]:
        """Make the archives and the index."""
        charts.package(lab, Path(lab.data(self.name)))
        return ()

    def command(self, lab: Lab) -> list[str]:
        """See https://docs.python.org/3/library/http.server.html."""
        port = str(lab.ports[self.name])
        return [sys.executable, "-m", "http.server", f"--bind={HOST}", f"--directory={lab.data(self.name)}", port]

    def is_ready(self, lab: Lab) -> bool:
        """It hands out the index."""
        return answers(f"http://{lab.address(self.name)}/index.yaml")

    def facts(self, lab: Lab) -> dict[str, str]:
        """Its address."""
        return {"CHART_REPOSITORY": f"http://{lab.address(self.name)}"}
