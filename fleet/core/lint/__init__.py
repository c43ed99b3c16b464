"""Checks of a node's own files, before anything is changed."""
