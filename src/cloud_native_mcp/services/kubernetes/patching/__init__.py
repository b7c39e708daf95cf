"""Patches: documents, and changes given as key=value."""
