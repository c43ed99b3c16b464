"""Models and decisions about Kubernetes clusters."""
