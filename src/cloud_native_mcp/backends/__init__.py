"""Clients of one product that several services and stages share."""
