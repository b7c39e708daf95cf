"""Configuration of the whole server: gathered from flags, environment and file, checked as one, shown, documented."""
