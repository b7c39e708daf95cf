"""Cloud Native MCP Server: one safe, fast door for LLM agents to a cloud-native estate."""

__version__ = "0.1.0"
