"""Charts: where they are found, which version is meant, and what is in them."""
