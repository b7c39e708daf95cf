"""Comparing objects with each other: two of them, or all of two namespaces."""
