"""An OCI registry with charts, which asks for a user and password."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lab import charts
from lab.probes import listens
from lab.servers.contract import Server

if TYPE_CHECKING:
    from lab.context import Lab

USER = "lab"
PASSWORD = "lab-password"  # noqa: S105 - the lab's own, on loopback
_HASH = "$2b$05$6eRijyJUvvIbKkde3TQG0uIIwM7ggxUQZydU8GlM4dGQSUSMKjt6i"
"""Of the password, by bcrypt."""
CHARTS = "charts"


class Registry(Server):
    """The CNCF distribution registry, without TLS."""

    name = "registry"
    needs = ("chart-repository",)
    artefacts = ("helm",)
    ports = ("registry",)

    def configure(self, lab: Lab) -> tuple[Path, ...]:
        """See https://distribution.github.io/distribution/about/configuration/."""
        folder = lab.state.config / self.name
        folder.mkdir(parents=True, exist_ok=True)
        users, config = folder / "htpasswd", folder / "config.json"
        users.write_text(f"{USER}:{_HASH}\n", encoding="utf-8")
        content = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": lab.data(self.name)}},
            "http": {"addr": lab.address(self.name), "secret": "lab"},
            "auth": {"htpasswd": {"realm": "lab", "path": str(users)}},
        }
        config.write_text(json.dumps(content), encoding="utf-8")
        return (config, users)

    def command(self, lab: Lab) -> list[str]:
        """It reads all from its file, which is JSON and thereby YAML."""
        return [lab.binary(self.name), "serve", str(lab.state.config / self.name / "config.json")]

    def is_ready(self, lab: Lab) -> bool:
        """It listens; every request needs the password."""
        return listens(lab.ports[self.name])

    def settle(self, lab: Lab) -> None:
        """Push every archive."""
        address = lab.address(self.name)
        login = ["registry", "login", address, f"--username={USER}", "--password-stdin", "--plain-http"]
        charts.helm(lab, login, given=PASSWORD)
        for archive in charts.package(lab, Path(lab.data("chart-repository"))):
            charts.helm(lab, ["push", str(archive), f"oci://{address}/{CHARTS}", "--plain-http"])

    def facts(self, lab: Lab) -> dict[str, str]:
        """Its address without scheme, and who may read."""
        return {"REGISTRY": lab.address(self.name), "REGISTRY_USER": USER, "REGISTRY_PASSWORD": PASSWORD}
