"""The work on one node: its scripts, which are all of the node-side shell code, and their replies."""
