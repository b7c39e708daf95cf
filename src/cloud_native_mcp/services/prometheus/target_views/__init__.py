"""The views of `prometheus_targets`."""
