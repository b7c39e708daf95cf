"""Commands in containers: where they run, how their end is awaited, and what is shown of their output."""
