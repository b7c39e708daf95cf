"""The tools of the utilities service, one module each."""
