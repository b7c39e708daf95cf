"""Secrets: reading what configuration refers to, and keys this server seals its own state with."""
