"""The HTTP client all services share: pool, retries, circuit breaker, TLS, body limits, reading of statuses."""
