"""A ledger kept in memory: a service with tools that read, write, destroy, wait, fail and call each other."""

from cloud_native_mcp.contract.service import ServiceSpec

SPEC = ServiceSpec(
    name="ledger",
    title="Ledger",
    summary="Entries of small ledgers kept in memory.",
    config="config:LedgerConfig",
    start="service:start",
    tools=("tools.entries", "tools.changes", "tools.behaviour", "tools.inner"),
    target_noun="Ledger",
)
