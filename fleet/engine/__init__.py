"""Threads and order: the survey of many nodes, and the loop that carries a rollout out."""
