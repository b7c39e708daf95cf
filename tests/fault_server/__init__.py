"""A backend that misbehaves on purpose, over real sockets."""
