"""Which ConfigMaps, Secrets, claims and accounts a workload names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_native_mcp.services.kubernetes.auditing.pod_shapes import Container
    from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload

CONFIG_MAP: Final = "ConfigMap"
SECRET: Final = "Secret"  # noqa: S105 - a kind
CLAIM: Final = "PersistentVolumeClaim"


class Reference(NamedTuple):
    """A name that is used; ``needed`` when pods do not start without it. ``how``: in words."""

    kind: str
    name: str
    needed: bool = True
    how: str = "volume"


def references(workload: Workload) -> Iterator[Reference]:
    """Everything that the pods of a workload name."""
    spec = workload.spec
    for volume in spec.volumes or ():
        yield from _of_volume(volume)
    for container in spec.all_containers:
        yield from _of_environment(container)
    for one in spec.image_pull_secrets or ():
        yield Reference(SECRET, as_str(one.get("name")), needed=False, how="pull")


def _of_volume(volume: Mapping[str, object]) -> Iterator[Reference]:
    for source in [volume, *(as_dict(one) for one in as_list(dig(volume.get("projected"), "sources")))]:
        if config := as_dict(source.get("configMap")):
            yield Reference(CONFIG_MAP, as_str(config.get("name")), config.get("optional") is not True)
        if secret := as_dict(source.get("secret")):
            name = as_str(secret.get("secretName")) or as_str(secret.get("name"))
            yield Reference(SECRET, name, secret.get("optional") is not True)
    for kind in ("csi", "cephfs", "rbd", "iscsi", "flexVolume", "scaleIO", "storageos", "azureFile"):
        source = as_dict(volume.get(kind))
        for key in ("nodePublishSecretRef", "secretRef"):
            if name := as_str(dig(source, key, "name")):
                yield Reference(SECRET, name, needed=False)
    if name := as_str(dig(volume.get("persistentVolumeClaim"), "claimName")):
        yield Reference(CLAIM, name)


def _of_environment(container: Container) -> Iterator[Reference]:
    named = [as_dict(one.get("valueFrom")) for one in container.env or ()]
    for source in [*named, *(as_dict(one) for one in container.env_from or ())]:
        for key, kind in (
            ("configMapKeyRef", CONFIG_MAP),
            ("configMapRef", CONFIG_MAP),
            ("secretKeyRef", SECRET),
            ("secretRef", SECRET),
        ):
            if found := as_dict(source.get(key)):
                yield Reference(kind, as_str(found.get("name")), found.get("optional") is not True, "environment")
