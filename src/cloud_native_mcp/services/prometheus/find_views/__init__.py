"""What `prometheus_find` lists."""
