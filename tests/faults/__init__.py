"""The faults every service with a backend must survive; one entry in `table` covers a service."""
