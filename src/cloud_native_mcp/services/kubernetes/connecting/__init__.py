"""Reaching a port of a pod or Service: one HTTP request, or a port-forward."""
