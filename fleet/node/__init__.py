"""The work on one node: its scripts (all node-side shell code lives here) and their replies."""
