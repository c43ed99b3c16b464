"""Access to the API of Kubernetes clusters."""
