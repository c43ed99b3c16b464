"""The evaluation of tested mirror endpoints."""
