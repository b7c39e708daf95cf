"""The services of this server: finding them, starting and ending them, and knowing how they are."""
