"""Draining a node: which of its pods go, and getting them off it."""
