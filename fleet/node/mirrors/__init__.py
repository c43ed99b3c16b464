"""The test of mirror endpoints through a node."""
