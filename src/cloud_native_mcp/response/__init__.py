"""Turns structured results into what a client sees: rendered, cut to a budget, cleaned and masked."""
