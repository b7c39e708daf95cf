"""The tools of Helm, one module each."""
