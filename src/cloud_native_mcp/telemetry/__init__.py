"""Metrics and logs; observes and never steers."""
