"""Text of files that fleet did not write: TOML, YAML and PEM, edits in place, and diffs."""
