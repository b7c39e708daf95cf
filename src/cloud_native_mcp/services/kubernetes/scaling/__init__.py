"""What bears on the number of replicas of a workload."""
