"""Services that lead nowhere.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.suggest import nearest
from cloud_native_mcp.services.kubernetes.diagnosis.endpoints import SERVICES, Endpoints, endpoints_by_service
from cloud_native_mcp.services.kubernetes.diagnosis.finding import Finding, Ref, diagnose, look_at, tool_call
from cloud_native_mcp.services.kubernetes.diagnosis.ingresses import ingress_findings
from cloud_native_mcp.services.kubernetes.diagnosis.shapes import moment
from cloud_native_mcp.services.kubernetes.diagnosis.survey import PODS, workload_of
from cloud_native_mcp.services.kubernetes.diagnosis.workloads import KINDS
from cloud_native_mcp.services.kubernetes.reading import by_namespace
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.diagnosis.endpoints import Service
    from cloud_native_mcp.services.kubernetes.diagnosis.shapes import Container, Pod
    from cloud_native_mcp.services.kubernetes.diagnosis.survey import Survey

SETTLING: Final = timedelta(minutes=2)
Labels = dict[str, str]
_NOBODY: Final[set[int]] = set()


class Candidates:
    """The pods of one namespace by their labels, and what runs there by name."""

    def __init__(self, pods: Sequence[Pod], templates: Mapping[Ref, Labels]) -> None:
        self.templates = templates
        self._pods = pods
        self._having: dict[tuple[str, str], set[int]] = {}
        for number, pod in enumerate(pods):
            for pair in pod.metadata.labels.items():
                self._having.setdefault(pair, set()).add(number)

    def selected(self, selector: Mapping[str, str]) -> list[Pod]:
        """The pods that a selector matches; it has at least one label."""
        fewest, *others = sorted((self._having.get(pair, _NOBODY) for pair in selector.items()), key=len)
        return [self._pods[number] for number in sorted(fewest.intersection(*others))]

    def scaled_to_nothing(self, selector: Mapping[str, str]) -> Ref | None:
        """A workload whose pods the selector would match, if it had some."""
        found = (ref for ref, labels in self.templates.items() if selector.items() <= labels.items())
        return next(found, None)

    def closest(self, selector: Mapping[str, str], name: str) -> tuple[Ref, str] | None:
        """A workload that the selector probably means, and in which labels they differ."""
        found: list[tuple[int, Ref, str]] = []
        for ref, labels in self.templates.items():
            same = sum(labels.get(key) == value for key, value in selector.items())
            alike = ref.name == name or any(
                nearest(value, [labels[key]]) for key, value in selector.items() if labels.get(key, value) != value
            )
            if same or alike:
                differs = [
                    f"{key}={value} against {key}={labels.get(key, '(none)')}"
                    for key, value in sorted(selector.items())
                    if labels.get(key) != value
                ]
                found.append((same, ref, ", ".join(differs)))
        best = max(found, default=None, key=lambda one: (one[0], one[1].name == name))
        return (best[1], best[2]) if best else None


async def network(survey: Survey) -> list[Finding]:
    """Services without endpoints or with wrong ports, and Ingresses whose backends are missing."""
    services = await survey.reader.objects(SERVICES)
    endpoints = await endpoints_by_service(survey, "network")
    pods = await survey.reader.either(PODS, "network")
    candidates = await _candidates(survey, pods) if pods is not None else None
    found: list[Finding] = []
    async for service in unhurried(services):
        key = (service.metadata.namespace, service.metadata.name)
        if endpoints is not None and candidates is not None:
            there = candidates.get(key[0]) or Candidates((), {})
            found += _of_service(service, endpoints.get(key, Endpoints()), there, survey)
        found += _balancer(service, survey)
    return found + await ingress_findings(survey, services)


async def _candidates(survey: Survey, pods: Sequence[Pod]) -> dict[str, Candidates]:
    templates: dict[str, dict[Ref, Labels]] = {}
    for kind in KINDS:
        async for one in unhurried(await survey.reader.optional(kind, "network")):
            meta = one.metadata
            templates.setdefault(meta.namespace, {})[Ref(kind.kind, meta.namespace, meta.name)] = one.labels
    grouped = by_namespace(pods)
    return {name: Candidates(grouped.get(name, ()), templates.get(name, {})) for name in grouped.keys() | templates}


def _of_service(service: Service, there: Endpoints, candidates: Candidates, survey: Survey) -> Iterator[Finding]:
    ref = Ref("Service", service.metadata.namespace, service.metadata.name)
    selector = service.spec.selector
    if service.spec.type == "ExternalName" or not selector:
        return  # somebody else makes its endpoints, if it needs some
    pods = candidates.selected(selector)
    if pods:
        yield from _ports(ref, service, pods)
        if not there.ready and _settled(service, pods, survey):
            yield _none_ready(ref, pods, there)
    elif not there.ready:
        yield _none_selected(ref, selector, candidates)


def _settled(service: Service, pods: Sequence[Pod], survey: Survey) -> bool:
    """Whether the newest of Service and pods had time to come up."""
    times = [service.metadata.creation_timestamp, *(pod.metadata.creation_timestamp for pod in pods)]
    return survey.older(moment(max(filter(None, times), default=None)), SETTLING) or not any(pod.ready for pod in pods)


def _none_ready(ref: Ref, pods: Sequence[Pod], there: Endpoints) -> Finding:
    owner = workload_of(pods[0])
    cause = f"none of its {len(pods)} pods is ready: see {owner}"
    evidence = f"EndpointSlices: 0 of {there.total} endpoints ready"
    return Finding("critical", "no_endpoints", ref, cause, evidence, diagnose(owner), blast=len(pods))


def _none_selected(ref: Ref, selector: Mapping[str, str], candidates: Candidates) -> Finding:
    shown = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    evidence = f"spec.selector: {shown} matches no pod"
    call = tool_call("list", kind="pods", namespace=ref.namespace, columns="labels")
    if empty := candidates.scaled_to_nothing(selector):
        return Finding("info", "no_endpoints", ref, f"{empty} that it selects has no pods", evidence, diagnose(empty))
    if close := candidates.closest(selector, ref.name):
        cause = f"its selector probably means {close[0]}: {close[1]}"
        return Finding("warning", "selector_mismatch", ref, cause, evidence, call)
    return Finding("warning", "no_endpoints", ref, "its selector matches no pod of its namespace", evidence, call)


def _ports(ref: Ref, service: Service, pods: Sequence[Pod]) -> Iterator[Finding]:
    """Named target ports that no pod has. Numbers need not be declared by containers, so they prove nothing."""
    known = {port.name for pod in pods for one in _listening(pod) for port in one.ports or () if port.name}
    for port in service.spec.ports or ():
        if isinstance(port.target_port, str) and port.target_port and port.target_port not in known:
            cause = f"port {port.port} leads to {port.target_port!a}, which no container of its pods names"
            evidence = f"spec.ports[].targetPort: {port.target_port}; the pods name: {', '.join(sorted(known)) or '-'}"
            yield Finding("critical", "port_mismatch", ref, cause, evidence, look_at(ref), blast=len(pods))


def _listening(pod: Pod) -> Iterator[Container]:
    yield from pod.spec.containers
    yield from (one for one in pod.spec.init_containers if one.restart_policy == "Always")


def _balancer(service: Service, survey: Survey) -> Iterator[Finding]:
    created = moment(service.metadata.creation_timestamp)
    if service.spec.type != "LoadBalancer" or service.status.load_balancer.ingress:
        return
    if survey.older(created, SETTLING):
        ref = Ref("Service", service.metadata.namespace, service.metadata.name)
        call = tool_call("events", kind="service", name=ref.name, namespace=ref.namespace, type="all")
        cause = "no load balancer was provided: is there a controller for it?"
        yield Finding("warning", "no_load_balancer", ref, cause, "status.loadBalancer.ingress is empty", call, created)
