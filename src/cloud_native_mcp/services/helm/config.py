"""Settings of the Helm service."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from cloud_native_mcp.backends.kubernetes.cluster_config import ClustersConfig
from cloud_native_mcp.contract.configuration import Section
from cloud_native_mcp.contract.connection import Address, Authentication, Tls
from cloud_native_mcp.upstream.egress_config import EgressConfig


def _repository(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http", "oci"} or not parts.hostname or parts.port == 0:
        raise ValueError("must be an https://, http:// or oci:// address")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must not hold a user, password, query or fragment")
    return url.rstrip("/")


RepositoryAddress = Annotated[str, AfterValidator(_repository)]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+(?::\d{1,5})?$")]
RepositoryName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]


class EngineConfig(Section):
    """The Helm program, which changes releases and renders charts; reading needs none."""

    binary: Path | None = Field(
        default=None, description="Helm 3.14 or newer, or 4; without it `helm` on the server's path."
    )


class RepositoryConfig(Section):
    """A chart repository. Its host is reached wherever it is; other hosts it leads to must be public or allowed."""

    url: RepositoryAddress = Field(
        description="Address of the folder with `index.yaml`, or of a registry: `oci://registry.example.com/charts`."
    )
    auth: Authentication = Field(default=Authentication(), description="Credentials, sent to this host only.")
    tls: Tls = Field(default=Tls(), description="TLS of the repository.")
    proxy: str | None = Field(default=None, description="HTTP proxy to reach it through.")
    plain_http: bool = Field(default=False, description="For `oci://`: the registry speaks HTTP without TLS.")

    @model_validator(mode="after")
    def _plain_is_for_registries(self) -> RepositoryConfig:
        if self.plain_http and not self.url.startswith("oci://"):
            raise ValueError("plain_http is for oci:// addresses; write http:// in others")
        return self


class CredentialConfig(Authentication):
    """Credentials for the repositories that callers add at these hosts."""

    hosts: tuple[Host, ...] = Field(
        min_length=1, description="Hosts, with their port if it is not the usual one, that get them: `host:8443`."
    )


class ChartAddressesConfig(EgressConfig):
    """Repositories and charts that callers name by their address."""

    enabled: bool = Field(
        default=True, description="Whether callers may name addresses at all, besides those of the repositories."
    )


class ChartsConfig(Section):
    """Where charts come from."""

    repositories: dict[RepositoryName, RepositoryConfig] = Field(
        default={}, description="Chart repositories and registries by the name that tools use."
    )
    added_file: Path | None = Field(
        default=None,
        description="File in which the repositories are kept that `helm_repo` adds; replicas share it. Without it the "
        "list is fixed.",
    )
    credentials: dict[RepositoryName, CredentialConfig] = Field(
        default={}, description="Credentials by the name that `helm_repo` gives to a repository it adds."
    )
    addresses: ChartAddressesConfig = Field(
        default=ChartAddressesConfig(), description="Repositories and charts named by their address."
    )
    hub: bool = Field(default=False, description="Whether `helm_chart` may search Artifact Hub.")
    hub_url: Address = Field(default="https://artifacthub.io", description="Address of Artifact Hub.")


class HelmConfig(ClustersConfig):
    """Clusters with Helm releases. With `enabled: auto` and no target, the default kubeconfig or in-cluster account."""

    driver: Literal["secret", "configmap"] = Field(
        default="secret",
        description="Where Helm keeps releases in the clusters, as its own `$HELM_DRIVER`; SQL is not supported.",
    )
    engine: EngineConfig = Field(default=EngineConfig(), description="The Helm program.")
    charts: ChartsConfig = Field(default=ChartsConfig(), description="Where charts come from.")
