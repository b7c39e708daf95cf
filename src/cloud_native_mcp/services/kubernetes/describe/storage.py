"""Descriptions of claims, volumes and storage classes.

Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.services.kubernetes.describe.facts import add_conditions, selector_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.services.kubernetes.describe.facts import Facts


def describe_claim(facts: Facts, obj: Mapping[str, object]) -> None:
    """Phase, bound volume, asked and given capacity, class, access modes."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    facts.add("status", status.get("phase"))
    facts.add("volume", spec.get("volumeName"))
    facts.add("capacity", dig(status, "capacity", "storage"))
    facts.add("requested", dig(spec, "resources", "requests", "storage"))
    facts.add("class", spec.get("storageClassName"))
    facts.add("access", spec.get("accessModes"))
    facts.add("mode", spec.get("volumeMode"))
    facts.add("selector", selector_line(spec.get("selector")))
    add_conditions(facts, obj)


def describe_volume(facts: Facts, obj: Mapping[str, object]) -> None:
    """Phase, claim, capacity, class, reclaim policy, where the data lies."""
    spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
    claim = as_dict(spec.get("claimRef"))
    facts.add("status", status.get("phase"))
    facts.add("reason", status.get("reason"))
    facts.add("claim", f"{as_str(claim.get('namespace'))}/{as_str(claim.get('name'))}" if claim else "")
    facts.add("capacity", dig(spec, "capacity", "storage"))
    facts.add("class", spec.get("storageClassName"))
    facts.add("access", spec.get("accessModes"))
    facts.add("reclaim policy", spec.get("persistentVolumeReclaimPolicy"))
    sources = {"csi": "driver", "hostPath": "path", "nfs": "server", "local": "path"}
    for source, field in sources.items():
        if source in spec:
            facts.add("source", f"{source} {as_str(dig(spec, source, field))}")
    facts.add("node affinity", "yes" if spec.get("nodeAffinity") else "")


def describe_storage_class(facts: Facts, obj: Mapping[str, object]) -> None:
    """Provisioner, binding, reclaiming, parameters."""
    default = dig(obj, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true"
    facts.add("default", default)
    facts.add("provisioner", obj.get("provisioner"))
    facts.add("binding", obj.get("volumeBindingMode"))
    facts.add("reclaim policy", obj.get("reclaimPolicy"))
    facts.add("expansion", obj.get("allowVolumeExpansion") is True)
    facts.add("parameters", obj.get("parameters"))
