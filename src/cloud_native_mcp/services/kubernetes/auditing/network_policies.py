"""Pods that anything may talk to.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta
from cloud_native_mcp.backends.kubernetes.selectors import LabelSelector, matches
from cloud_native_mcp.services.kubernetes.auditing.finding import Finding, named
from cloud_native_mcp.services.kubernetes.auditing.workloads import workloads
from cloud_native_mcp.services.kubernetes.reading import Kind, by_namespace
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload
    from cloud_native_mcp.services.kubernetes.reading import Reader

_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})


class _Block(msgspec.Struct, gc=False):
    cidr: str = ""


class _Peer(msgspec.Struct, gc=False, rename="camel"):
    ip_block: _Block | None = None


class _Ingress(msgspec.Struct, gc=False, rename="camel"):
    from_: list[_Peer] | None = msgspec.field(name="from", default=None)


class _Spec(msgspec.Struct, gc=False, rename="camel"):
    pod_selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    ingress: list[_Ingress] | None = None
    policy_types: list[str] | None = None


class NetworkPolicy(msgspec.Struct, gc=False):
    """A policy as far as incoming traffic goes."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: _Spec = msgspec.field(default_factory=_Spec)

    @property
    def limits_ingress(self) -> bool:
        """Whether it says anything of incoming traffic; it does when it names no types."""
        return "Ingress" in (self.spec.policy_types or ("Ingress",))


POLICIES: Final = Kind("networking.k8s.io", "NetworkPolicy", NetworkPolicy)


async def network_policies(reader: Reader) -> list[Finding]:
    """Namespaces without policies, workloads that none selects, and policies that let everything in."""
    policies = by_namespace(await reader.objects(POLICIES))
    found = [finding for some in policies.values() for policy in some for finding in _open(policy)]
    running: dict[str, list[Workload]] = {}
    async for workload in unhurried(await workloads(reader)):
        # Policies do not reach pods in the network of their node.
        if not workload.spec.host_network:
            running.setdefault(workload.namespace, []).append(workload)
    for namespace, some in running.items():
        ingress = [policy for policy in policies.get(namespace, ()) if policy.limits_ingress]
        found += _unlimited(namespace, some, ingress)
    return found


def _unlimited(namespace: str, running: Sequence[Workload], ingress: Sequence[NetworkPolicy]) -> Iterator[Finding]:
    if not ingress:
        why = f"no policy limits who may talk to its {len(running)} workloads"
        fix = "deny all incoming traffic by one policy, then allow what is needed"
        yield Finding("warning", "network_policies", "no_policy", f"Namespace {namespace}", why, fix)
        return
    for workload in running:
        if not any(matches(policy.spec.pod_selector, workload.labels) for policy in ingress):
            why = "no policy of its namespace selects its pods for incoming traffic"
            fix = "add a policy that selects them, or one for all pods"
            yield Finding("warning", "network_policies", "not_selected", workload.object, why, fix)


def _open(policy: NetworkPolicy) -> Iterator[Finding]:
    if not policy.limits_ingress:
        return
    where = named("NetworkPolicy", policy.metadata.namespace, policy.metadata.name)
    for rule in policy.spec.ingress or ():
        peers = rule.from_ or ()
        cidrs = {peer.ip_block.cidr for peer in peers if peer.ip_block is not None} & _EVERYWHERE
        if not peers or cidrs:
            whom = ", ".join(sorted(cidrs)) or "everyone"
            fix = "name the pods, namespaces or addresses that need it"
            yield Finding("warning", "network_policies", "allows_all", where, f"lets {whom} in", fix)
            return
