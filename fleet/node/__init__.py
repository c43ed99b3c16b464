"""The work on one node: the scripts that it runs (the only node-side shell code) and their replies."""
