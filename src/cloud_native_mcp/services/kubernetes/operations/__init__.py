"""Named operations on objects, as data: which kind, which change, how it is taken back."""
