"""The views of `prometheus_rules`."""
