"""From YAML files to values: the only reader of YAML, and every mistake at once."""
