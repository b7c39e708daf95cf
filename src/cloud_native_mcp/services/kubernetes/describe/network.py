"""Descriptions of Service, Ingress, NetworkPolicy, EndpointSlice.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.services.kubernetes.describe.facts import add_conditions, selector_line, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_native_mcp.services.kubernetes.describe.facts import Facts


def describe_service(facts: Facts, obj: Mapping[str, object]) -> None:
    """Type, addresses, ports, selector. Its endpoints are joined by `add_endpoints`."""
    spec = as_dict(obj.get("spec"))
    facts.add("type", spec.get("type"))
    facts.add("cluster ip", spec.get("clusterIPs") or spec.get("clusterIP"))
    facts.add("external name", spec.get("externalName"))
    facts.add("external ips", spec.get("externalIPs"))
    facts.add("load balancer", _ingress_points(obj))
    facts.add("ports", [_port(as_dict(p)) for p in as_list(spec.get("ports"))])
    facts.add("selector", spec.get("selector") or "none")
    if as_str(spec.get("sessionAffinity")) != "None":
        facts.add("session affinity", spec.get("sessionAffinity"))
    facts.add("external traffic", spec.get("externalTrafficPolicy"))
    add_conditions(facts, obj)


def add_endpoints(facts: Facts, slices: Sequence[Mapping[str, object]]) -> None:
    """The addresses behind a Service, from its EndpointSlices; a Service without ready ones is the usual fault."""
    ready, unready = list[str](), list[str]()
    for one in slices:
        ports = ",".join(show(dig(p, "port")) for p in as_list(one.get("ports"))) or "*"
        for endpoint in map(as_dict, as_list(one.get("endpoints"))):
            pod = as_str(dig(endpoint, "targetRef", "name"))
            address = (
                ",".join(map(str, as_list(endpoint.get("addresses")))) + f":{ports}" + (f" ({pod})" if pod else "")
            )
            (unready if dig(endpoint, "conditions", "ready") is False else ready).append(address)
    facts.add("endpoints", f"{len(ready)} ready, {len(unready)} not ready")
    facts.add("ready endpoints", ready[:20])
    facts.add("endpoints not ready", unready[:20])


def describe_ingress(facts: Facts, obj: Mapping[str, object]) -> None:
    """Class, TLS, addresses, and a row per rule."""
    spec = as_dict(obj.get("spec"))
    facts.add("class", spec.get("ingressClassName"))
    facts.add("address", _ingress_points(obj))
    facts.add("default backend", _backend(as_dict(spec.get("defaultBackend"))))
    tls = [
        f"{as_str(dig(t, 'secretName'), 'default certificate')} for {show(dig(t, 'hosts'))}"
        for t in as_list(spec.get("tls"))
    ]
    facts.add("tls", tls)
    rows = [
        (
            as_str(dig(rule, "host"), "*"),
            as_str(dig(path, "path"), "/"),
            as_str(dig(path, "pathType")),
            _backend(as_dict(dig(path, "backend"))),
        )
        for rule in as_list(spec.get("rules"))
        for path in as_list(dig(rule, "http", "paths"))
    ]
    facts.table("Rules", ("HOST", "PATH", "TYPE", "BACKEND"), rows)


def describe_network_policy(facts: Facts, obj: Mapping[str, object]) -> None:
    """Which pods it is for, and per direction who may talk to whom on which ports."""
    spec = as_dict(obj.get("spec"))
    facts.add("pods", selector_line(spec.get("podSelector")) or "all in the namespace")
    facts.add("directions", spec.get("policyTypes"))
    rows: list[tuple[str, str, str]] = []
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        rules = as_list(spec.get(direction))
        if direction.title() in as_list(spec.get("policyTypes")) and not rules:
            rows.append((direction, "nobody", "-"))
        rows += [
            (direction, _peers(as_list(rule.get(peers))), _policy_ports(as_list(rule.get("ports"))))
            for rule in map(as_dict, rules)
        ]
    facts.table("Allowed", ("DIRECTION", "PEERS", "PORTS"), rows)


def describe_endpoint_slice(facts: Facts, obj: Mapping[str, object]) -> None:
    """Address type, ports, addresses by readiness."""
    facts.add("address type", obj.get("addressType"))
    facts.add("service", dig(obj, "metadata", "labels", "kubernetes.io/service-name"))
    add_endpoints(facts, [obj])


def _ingress_points(obj: Mapping[str, object]) -> list[str]:
    points = as_list(dig(obj, "status", "loadBalancer", "ingress"))
    return [as_str(dig(p, "ip")) or as_str(dig(p, "hostname")) for p in points]


def _port(port: Mapping[str, object]) -> str:
    name = f"{as_str(port.get('name'))} " if port.get("name") else ""
    node = f" nodePort {as_int(port.get('nodePort'))}" if port.get("nodePort") else ""
    return (
        f"{name}{as_int(port.get('port'))}→{show(port.get('targetPort'))}/{as_str(port.get('protocol'), 'TCP')}{node}"
    )


def _backend(backend: Mapping[str, object]) -> str:
    if "resource" in backend:
        return f"{as_str(dig(backend, 'resource', 'kind'))}/{as_str(dig(backend, 'resource', 'name'))}"
    port = dig(backend, "service", "port", "name") or dig(backend, "service", "port", "number")
    name = as_str(dig(backend, "service", "name"))
    return f"{name}:{port}" if name else ""


def _peers(peers: Sequence[object]) -> str:
    shown: list[str] = []
    for peer in map(as_dict, peers):
        if "ipBlock" in peer:
            excepted = show(dig(peer, "ipBlock", "except"))
            shown.append(as_str(dig(peer, "ipBlock", "cidr")) + (f" except {excepted}" if excepted else ""))
            continue
        where = selector_line(peer.get("namespaceSelector")) or "all" if "namespaceSelector" in peer else "same"
        shown.append(f"pods {selector_line(peer.get('podSelector')) or 'all'} in {where} namespace(s)")
    return "; ".join(shown) or "everybody"


def _policy_ports(ports: Sequence[object]) -> str:
    return ", ".join(_policy_port(as_dict(port)) for port in ports) or "all"


def _policy_port(port: Mapping[str, object]) -> str:
    end = f"-{show(port.get('endPort'))}" if port.get("endPort") else ""
    return f"{show(port.get('port')) or 'all'}{end}/{as_str(port.get('protocol'), 'TCP')}"
