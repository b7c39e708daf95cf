"""Benchmarks: ratios measured side by side in one interleaved run. Start with ``python -m bench``."""
