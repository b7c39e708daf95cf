"""Services made for the tests: small, but real."""
