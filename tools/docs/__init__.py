"""Generators of the pages of ``docs/`` that follow from settings, tools and coverage data."""
