"""The values that every other package works on: nodes, mirrors, facts, changes and outcomes."""
