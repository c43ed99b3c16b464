"""The behaviour of containerd, release by release."""
