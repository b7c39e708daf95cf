"""Applying manifests: plan, dry run, real run, and what is told of them."""
