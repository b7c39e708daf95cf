"""How much: request rates and concurrent calls."""
