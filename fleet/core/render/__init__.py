"""The files that a node should have, by one strategy for each way to configure mirrors."""
