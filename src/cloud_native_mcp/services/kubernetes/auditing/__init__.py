"""Checks of how namespaces are set up, one module per family."""
