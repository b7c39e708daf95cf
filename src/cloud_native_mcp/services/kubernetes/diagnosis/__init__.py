"""What is unhealthy in a cluster and why, one module per subject."""
