"""Verification on a node: pulls, their evidence, and liveness of the hosts directory."""
