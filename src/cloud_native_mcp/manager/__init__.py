"""Finding services, starting and stopping them, and what is known of their health."""
