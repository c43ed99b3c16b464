"""Selection of nodes: patterns, ranges of names, and samples."""
