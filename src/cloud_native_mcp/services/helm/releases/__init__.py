"""Releases as Helm keeps them in a cluster."""
