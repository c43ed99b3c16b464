"""Text of other people's files: TOML and YAML read and edited in place, excerpts and diffs."""
