"""Readers of inventories: YAML, Ansible's INI and kubectl's JSON."""
