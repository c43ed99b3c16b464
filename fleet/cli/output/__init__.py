"""The output of commands: tables, plans, the live view, and JSON with its schemas."""
