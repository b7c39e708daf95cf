"""What the cluster's own policies refuse is told with the policy's name, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.kube import ApiError
from lab.probes import wait_until
from tests.services.kubernetes.clusters import error_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.calls import Desk
    from tests.services.kubernetes.scratch import Scratch

API = "admissionregistration.k8s.io/v1"
MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: colours}
data: {colour: %s}
"""


@pytest.fixture
def no_red(scratch: Scratch) -> Generator[str]:
    """A policy of the namespace that takes no red ConfigMap; its name."""
    name = f"no-red.{scratch.namespace}"
    writes = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
    selector = {"matchLabels": {"kubernetes.io/metadata.name": scratch.namespace}}
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [writes], "namespaceSelector": selector},
        "validations": [{"expression": "object.data.colour != 'red'", "message": "red is not a colour of this house"}],
    }
    policy = {"apiVersion": API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}
    binding = {
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }

    def held() -> bool:
        probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}, "data": {"colour": "red"}}
        try:
            scratch.api.request("POST", f"{scratch.path('v1', 'configmaps')}?dryRun=All", probe)
        except ApiError:
            return True
        return False

    scratch.api.apply(policy)
    scratch.api.apply(binding)
    try:
        wait_until("the policy to be held to", held, within=30)
        yield name
    finally:
        for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
            scratch.api.delete(f"/apis/{API}/{plural}/{name}")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_refusal_names_the_policy_and_its_words(
    cluster: Desk, scratch: Scratch, no_red: str, dry_run: bool
) -> None:
    manifest = MAP % "red"
    error = await error_of(cluster.ask("apply", manifest=manifest, namespace=scratch.namespace, dry_run=dry_run))
    assert error.code == "webhook_denied"
    assert no_red in error.text
    assert "red is not a colour of this house" in error.text
    assert not scratch.there("v1", "configmaps", "colours")


async def test_what_the_policy_takes_is_written(cluster: Desk, scratch: Scratch, no_red: str) -> None:
    assert no_red
    await cluster.ask("apply", manifest=MAP % "blue", namespace=scratch.namespace)
    assert scratch.read("v1", "configmaps", "colours")["data"] == {"colour": "blue"}
    error = await error_of(
        cluster.ask(
            "patch", kind="cm", name="colours", namespace=scratch.namespace, patch='{"data": {"colour": "red"}}'
        )
    )
    assert (error.code, no_red in error.text) == ("webhook_denied", True)
