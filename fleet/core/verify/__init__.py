"""The evidence of verification pulls."""
