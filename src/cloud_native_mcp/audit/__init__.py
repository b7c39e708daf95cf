"""What was done: one record per call, stored before a write acts."""
