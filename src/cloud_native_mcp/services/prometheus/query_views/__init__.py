"""The views of `prometheus_query`."""
