"""The tools of this service, one module per subject."""
