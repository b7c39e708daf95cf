"""Short-lived answers of backends, kept in this process."""
