"""The value that stands for a secret everywhere in the lab."""

from __future__ import annotations

CANARY = "cnry-Zq7vT2mXw9LkR4sJ8bHd"
"""Secrets, logs, annotations and configurations of the lab hold it; no answer of a client may."""
