"""helm_test with the lab's Helm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.services.helm.charts import SETTINGS, chart
from tests.services.helm.program import helm, helm_json
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab import LabEnv
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch


GOOD = """
apiVersion: batch/v1
kind: Job
metadata: {name: good, annotations: {helm.sh/hook: test}}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: registry.example.com/web:1.0}]}
"""


def hook(name: str, fate: str = "job-failed") -> str:
    """A test pod that fails."""
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, annotations: {{helm.sh/hook: test, lab/fate: {fate}}}}}
spec: {{restartPolicy: Never, containers: [{{name: main, image: registry.example.com/web:1.0}}]}}
"""


async def run(desk: Desk, scratch: Scratch, **arguments: object) -> Answer:
    """Run the tests of the release ``web``."""
    return await desk.ask("test", name="web", namespace=scratch.namespace, timeout_seconds=30, **arguments)


async def install(lab: LabEnv, scratch: Scratch, folder: Path, **templates: str) -> None:
    """The release ``web``."""
    await helm(lab, "install", "web", chart(folder, settings=SETTINGS, **templates), "-n", scratch.namespace)


async def test_the_results_are_those_helm_records(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await install(lab, scratch, tmp_path, bad=hook("bad"))
    answer = await run(operator, scratch)
    assert answer.text.startswith("0 of 1 test succeeded for release web")
    assert answer.rows[0][:2] == ["bad", "Failed"]
    assert answer.rows[0][2].isdecimal()
    assert "Log of bad" in answer.text
    status = await helm_json(lab, "status", "web", "-n", scratch.namespace)
    assert [one["last_run"]["phase"] for one in status["hooks"]] == ["Failed"]
    assert "Log of bad" not in (await run(operator, scratch, logs=False)).text


async def test_only_the_tests_asked_for_run(lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path) -> None:
    await install(lab, scratch, tmp_path, bad=hook("bad"), good=GOOD)
    answer = await run(operator, scratch, filter=["good"])
    assert answer.text.startswith("1 of 1 test succeeded")
    assert [row[:2] for row in answer.rows] == [["good", "Succeeded"]]
    error = await error_of(run(operator, scratch, filter=["better"]))
    assert (error.code, "there are bad, good" in error.text) == ("no_tests", True)
    assert (await error_of(run(operator, scratch, filter=["name=x"]))).text.startswith("filter: ")


async def test_a_chart_without_tests_is_said_to_have_none(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    await install(lab, scratch, tmp_path)
    assert (await error_of(run(operator, scratch))).code == "no_tests"


async def test_a_test_pod_that_the_policy_refuses_is_not_run(
    lab: LabEnv, operator: Desk, scratch: Scratch, tmp_path: Path
) -> None:
    strong = hook("strong").replace("image:", "securityContext: {privileged: true}, image:")
    await install(lab, scratch, tmp_path, strong=strong)
    assert (await error_of(run(operator, scratch))).code == "denied_by_policy"
    assert not scratch.there("v1", "pods", "strong")
