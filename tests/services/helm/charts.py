"""Small charts that tests install."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv


def chart(folder: Path, name: str = "small", *, version: str = "1.0.0", values: str = "", **templates: str) -> Path:
    """A chart in a folder of its own; templates by name, without their ending."""
    place = folder / f"{name}-{version}"
    (place / "templates").mkdir(parents=True)
    described = {"apiVersion": "v2", "name": name, "version": version, "appVersion": "7.0"}
    (place / "Chart.yaml").write_text(json.dumps(described), encoding="utf-8")
    (place / "values.yaml").write_text(values, encoding="utf-8")
    for template, text in (templates or {"settings": SETTINGS}).items():
        (place / "templates" / f"{template}.yaml").write_text(text, encoding="utf-8")
    return place


SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {colour: {{ .Values.colour | default "blue" | quote }}}
"""


def shelves(lab: LabEnv, **more: object) -> dict[str, object]:
    """The setting that makes the lab's chart repository and registry those of the service."""
    auth = {"username": lab["REGISTRY_USER"], "password": lab["REGISTRY_PASSWORD"]}
    registry = {"url": f"oci://{lab.registry}/charts", "plain_http": True, "auth": auth}
    return {"repositories": {"lab": {"url": lab.chart_repository}, "registry": registry}, **more}


def failing_hook(name: str, event: str) -> str:
    """A Job that fails at an event of the release."""
    return f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, annotations: {{helm.sh/hook: {event}}}}}
spec:
  backoffLimit: 0
  template:
    metadata: {{annotations: {{lab/fate: job-failed}}}}
    spec: {{restartPolicy: Never, containers: [{{name: main, image: registry.example.com/web:1.0}}]}}
"""
