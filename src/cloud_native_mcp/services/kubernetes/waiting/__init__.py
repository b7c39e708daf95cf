"""Waiting until objects reach a state."""
