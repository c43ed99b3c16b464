"""Readers of the user's files: each returns values, or raises all mistakes at once."""
