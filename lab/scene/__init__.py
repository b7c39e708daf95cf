"""The workloads that the lab seeds, healthy and broken."""

from __future__ import annotations
