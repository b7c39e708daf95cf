"""Facts of a pod's specification, in a Pod or in the template of a workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str, dig
from cloud_native_mcp.services.kubernetes.describe.facts import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.describe.facts import Facts


def add_pod_spec(facts: Facts, spec: Mapping[str, object]) -> None:
    """Service account, scheduling rules, volumes: what all containers share."""
    facts.add("service account", spec.get("serviceAccountName"))
    facts.add("node selector", spec.get("nodeSelector"))
    facts.add("priority class", spec.get("priorityClassName"))
    facts.add("affinity", sorted(as_dict(spec.get("affinity"))))
    facts.add("tolerations", [_toleration(as_dict(t)) for t in as_list(spec.get("tolerations"))])
    facts.add(
        "topology spread", [as_str(dig(t, "topologyKey")) for t in as_list(spec.get("topologySpreadConstraints"))]
    )
    facts.add("image pull secrets", [as_str(dig(s, "name")) for s in as_list(spec.get("imagePullSecrets"))])
    facts.add("volumes", [volume_line(as_dict(v)) for v in as_list(spec.get("volumes"))])
    if as_str(spec.get("restartPolicy")) not in ("", "Always"):
        facts.add("restart policy", spec.get("restartPolicy"))
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(flag) is True:
            facts.add(flag, value=True)


def container_lines(container: Mapping[str, object]) -> list[str]:
    """The specification of one container as short facts: image, ports, resources, probes, mounts, environment."""
    lines = [f"image {as_str(container.get('image'))}"]
    lines += _ports(container)
    for bound in ("requests", "limits"):
        if values := as_dict(dig(container, "resources", bound)):
            lines.append(f"{bound} {show(values)}")
    lines += [
        f"{name} {line}"
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
        if (line := probe_line(as_dict(container.get(name))))
    ]
    for words in ("command", "args"):
        if parts := as_list(container.get(words)):
            lines.append(f"{words} {' '.join(map(str, parts))[:200]}")
    if mounts := as_list(container.get("volumeMounts")):
        lines.append("mounts " + ", ".join(_mount(as_dict(m)) for m in mounts))
    if variables := environment(container):
        lines.append("env " + ", ".join(variables))
    return lines


def environment(container: Mapping[str, object]) -> list[str]:
    """Names of environment variables and where they come from; never their values."""
    names = [_variable(as_dict(v)) for v in as_list(container.get("env"))]
    for source in map(as_dict, as_list(container.get("envFrom"))):
        for kind, label in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if name := as_str(dig(source, kind, "name")):
                names.append(f"*({label}/{name})")
    return names


def probe_line(probe: Mapping[str, object]) -> str:
    """A probe on one line: what is asked, how often, how many failures are borne."""
    if not probe:
        return ""
    http, tcp = as_dict(probe.get("httpGet")), as_dict(probe.get("tcpSocket"))
    if http:
        asked = f"{as_str(http.get('scheme'), 'HTTP').lower()}://:{show(http.get('port'))}{as_str(http.get('path'))}"
    elif tcp:
        asked = f"tcp :{show(tcp.get('port'))}"
    elif "grpc" in probe:
        asked = f"grpc :{show(dig(probe, 'grpc', 'port'))}"
    else:
        asked = "exec " + " ".join(map(str, as_list(dig(probe, "exec", "command"))))[:100]
    period, timeout = as_int(probe.get("periodSeconds"), 10), as_int(probe.get("timeoutSeconds"), 1)
    delay, failures = as_int(probe.get("initialDelaySeconds")), as_int(probe.get("failureThreshold"), 3)
    return f"{asked} delay={delay}s period={period}s timeout={timeout}s failures={failures}"


def volume_line(volume: Mapping[str, object]) -> str:
    """A volume as ``name(Kind/source)``."""
    name = as_str(volume.get("name"))
    for key, label, field in (
        ("persistentVolumeClaim", "PVC", "claimName"),
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("hostPath", "hostPath", "path"),
        ("csi", "csi", "driver"),
    ):
        if key in volume:
            return f"{name}({label}/{as_str(dig(volume, key, field))})"
    kinds = [key for key in volume if key != "name"]
    return f"{name}({kinds[0]})" if kinds else name


def images(template_spec: Mapping[str, object]) -> list[str]:
    """The images of a pod specification, init containers left out."""
    return [as_str(dig(c, "image")) for c in as_list(template_spec.get("containers"))]


def _ports(container: Mapping[str, object]) -> list[str]:
    ports = [
        f"{as_int(p.get('containerPort'))}/{as_str(p.get('protocol'), 'TCP')}"
        for p in map(as_dict, as_list(container.get("ports")))
    ]
    return [f"ports {', '.join(ports)}"] if ports else []


def _mount(mount: Mapping[str, object]) -> str:
    mode = " ro" if mount.get("readOnly") is True else ""
    return f"{as_str(mount.get('mountPath'))}←{as_str(mount.get('name'))}{mode}"


def _variable(variable: Mapping[str, object]) -> str:
    name, source = as_str(variable.get("name")), as_dict(variable.get("valueFrom"))
    for key, label in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if key in source:
            return f"{name}({label}/{as_str(dig(source, key, 'name'))}[{as_str(dig(source, key, 'key'))}])"
    return f"{name}({as_str(dig(source, 'fieldRef', 'fieldPath'))})" if "fieldRef" in source else name


def _toleration(toleration: Mapping[str, object]) -> str:
    key, effect = as_str(toleration.get("key"), "*"), as_str(toleration.get("effect"))
    value = f"={show(toleration.get('value'))}" if toleration.get("value") else ""
    return f"{key}{value}{f':{effect}' if effect else ''}"
