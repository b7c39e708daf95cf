"""The Helm program, run as a child process."""
