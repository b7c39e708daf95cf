"""What ``helm_get`` shows, one view each."""
