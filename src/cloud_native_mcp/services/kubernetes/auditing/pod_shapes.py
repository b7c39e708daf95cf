"""Pod templates as the checks read them, and the objects that hold them.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

import msgspec

from cloud_native_mcp.backends.kubernetes.meta import ObjectMeta

Json = dict[str, object]


class Container(msgspec.Struct, gc=False, rename="camel"):
    """A container of any sort."""

    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    security_context: Json | None = None
    ports: list[Json] | None = None
    env: list[Json] | None = None
    env_from: list[Json] | None = None
    resources: Json | None = None
    readiness_probe: Json | None = None
    liveness_probe: Json | None = None
    startup_probe: Json | None = None
    lifecycle: Json | None = None


class PodSpec(msgspec.Struct, gc=False, rename="camel"):
    """What a pod is to be."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    volumes: list[Json] | None = None
    security_context: Json | None = None
    host_network: bool = False
    host_pid: bool = msgspec.field(name="hostPID", default=False)
    host_ipc: bool = msgspec.field(name="hostIPC", default=False)
    host_users: bool | None = None
    os: Json | None = None
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    image_pull_secrets: list[Json] | None = None
    topology_spread_constraints: list[Json] | None = None
    affinity: Json | None = None

    @property
    def all_containers(self) -> list[Container]:
        """Those that start first, those that run, and those that were added to look into a running pod."""
        return [*(self.init_containers or ()), *(self.containers or ()), *(self.ephemeral_containers or ())]


class Template(msgspec.Struct, gc=False):
    """A pod, or the template of one."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class PodPhase(msgspec.Struct, gc=False):
    """How far a pod is."""

    phase: str = ""


class Pod(Template, gc=False):
    """A pod with its phase."""

    status: PodPhase = msgspec.field(default_factory=PodPhase)


class _JobSpec(msgspec.Struct, gc=False):
    template: Template = msgspec.field(default_factory=Template)


class _JobTemplate(msgspec.Struct, gc=False):
    spec: _JobSpec = msgspec.field(default_factory=_JobSpec)


class ControllerSpec(msgspec.Struct, gc=False, rename="camel"):
    """The specification of any controller of pods: ``template``, or a CronJob's ``jobTemplate``."""

    replicas: int | None = None
    template: Template | None = None
    job_template: _JobTemplate | None = None
    volume_claim_templates: list[Json] | None = None


class Manager(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote fields of an object, and in which version."""

    manager: str = ""
    api_version: str = ""


class ManagedMeta(ObjectMeta, gc=False, rename="camel"):
    """Metadata with who wrote it."""

    managed_fields: list[Manager] | None = None


class Controller(msgspec.Struct, gc=False):
    """An object that makes pods."""

    metadata: ManagedMeta = msgspec.field(default_factory=ManagedMeta)
    spec: ControllerSpec = msgspec.field(default_factory=ControllerSpec)

    @property
    def template(self) -> Template:
        """What its pods are made from."""
        if self.spec.job_template is not None:
            return self.spec.job_template.spec.template
        return self.spec.template or Template()
