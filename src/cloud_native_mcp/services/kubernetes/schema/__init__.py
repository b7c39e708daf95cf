"""The cluster's own documentation of its kinds: OpenAPI v3 documents and the fields in them."""
