"""Readers of mirrors.yaml and of kubespray's variables for mirrors."""
