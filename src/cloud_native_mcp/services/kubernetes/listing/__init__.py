"""Lists of objects: one page as the API server makes it, or a scan that searches, sorts or counts."""
