"""The plan of one node: its changes, their order and their cost."""
