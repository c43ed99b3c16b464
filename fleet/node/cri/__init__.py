"""CRI over SSH."""
