"""Types that configuration sections are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values are immutable, none is shown by ``repr``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


SecretReference = Annotated[
    str,
    Field(
        json_schema_extra={"secret": True},
        description="Secret: `env:NAME`, `file:/path`, `k8s:NAMESPACE/NAME/KEY` or the value itself.",
    ),
]
"""A field whose value is a secret or names one; shown as ``***`` wherever configuration is shown."""


class ServiceConfig(Section):
    """Base of every service's section."""

    enabled: bool | Literal["auto"] = Field(
        default="auto", description="`true`, `false`, or `auto`: on when the service has a target."
    )

    @property
    def wanted(self) -> bool:
        """Whether the service should run; services with other grounds for ``auto`` override it."""
        return self.enabled is True
