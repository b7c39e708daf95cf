"""Pods of a test's own that commands are run in, and both steps of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.probes import wait_until

if TYPE_CHECKING:
    from tests.calls import Answer, Desk
    from tests.services.kubernetes.scratch import Scratch


def make_pod(scratch: Scratch, name: str = "box", *containers: str, **metadata: Any) -> None:
    """A pod of these containers (default ``main``) that the lab runs."""
    made = [{"name": one, "image": "registry.example.com/box:1.0"} for one in containers or ("main",)]
    scratch.make("Pod", name, metadata=metadata, spec={"containers": made})

    def started() -> bool:
        return bool(scratch.read("v1", "pods", name)["status"].get("containerStatuses"))

    wait_until(f"the start of pod {name}", started, within=30)


async def run(desk: Desk, scratch: Scratch, *command: str, **arguments: object) -> Answer:
    """Plan and carry out a command; in the pod ``box`` unless said otherwise."""
    asked = {"name": "box", "namespace": scratch.namespace, "command": list(command), **arguments}
    asked = {key: value for key, value in asked.items() if value is not None}
    plan = await desk.ask("exec", **asked)
    return await desk.ask("exec", **asked, confirm=plan.result.confirm)
