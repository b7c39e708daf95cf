"""The services: one folder each, found by discovery; nothing lists them."""
