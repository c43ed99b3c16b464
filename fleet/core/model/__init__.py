"""The values that all other packages use: nodes, mirrors, facts, changes and outcomes."""
