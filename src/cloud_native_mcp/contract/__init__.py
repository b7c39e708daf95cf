"""All that the author of a service sees. Import the names from the modules; this package re-exports nothing."""

CONTRACT_VERSION = 1
