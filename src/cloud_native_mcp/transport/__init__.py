"""The doors: Streamable HTTP, SSE and stdio in front of one `routing.request.ToolDoor`."""
