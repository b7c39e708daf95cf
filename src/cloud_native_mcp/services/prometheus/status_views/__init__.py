"""The views of `prometheus_status`."""
