"""Our Kubernetes tools beside those of two other servers, over one cluster of the lab."""
