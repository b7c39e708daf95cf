"""Logs of containers and nodes: which ones, reading them, and what is shown of them."""
