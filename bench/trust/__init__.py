"""What it costs to know who calls, what they may, and to record it."""
