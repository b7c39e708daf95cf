"""Who calls: credentials of a request become one principal, or the request is refused."""
