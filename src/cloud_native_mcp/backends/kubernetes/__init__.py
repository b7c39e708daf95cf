"""Kubernetes API servers: reaching them, finding kinds, reading objects as tables, metadata or typed structs."""
