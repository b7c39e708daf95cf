"""Our server over the lab's cluster: what calls of the Kubernetes tools cost."""
