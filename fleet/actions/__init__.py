"""The use cases of fleet, one module for each; they take and return values, without a terminal."""
