"""Deleting and evicting: what is meant, what goes with it, and what became of it."""
