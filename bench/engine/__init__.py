"""The protocol engine alone: our server against the SDK, the same 109 tools on both."""
