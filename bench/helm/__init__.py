"""Helm's tools against the Helm program itself."""
