"""Condensed descriptions of objects: the facts of each kind that matter to somebody who looks for a fault."""
