"""Rollouts as data: written to the journal, and replayed from it."""
