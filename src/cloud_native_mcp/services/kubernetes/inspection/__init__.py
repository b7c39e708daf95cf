"""Looking at single objects: descriptions, clean documents, and the tree of what belongs together."""
