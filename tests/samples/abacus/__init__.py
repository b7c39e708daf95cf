"""An abacus: a service of one tool whose folder can be dropped in or installed, wherever it then lies."""

from cloud_native_mcp.contract.service import ServiceSpec

SPEC = ServiceSpec(
    name="abacus",
    title="Abacus",
    summary="Sums of whole numbers.",
    config="config:AbacusConfig",
    start="service:start",
    tools=("tools.sums",),
    target_noun="",
)
