"""``make demo``: the server before real backends, and an MCP client that asks it what an engineer would ask."""
