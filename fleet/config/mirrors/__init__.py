"""Readers of mirrors.yaml and of what kubespray has in its place."""
