"""Rollouts of workloads: their state, their revisions, and what changed between two."""
