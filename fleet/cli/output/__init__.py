"""What commands print: tables, plans, the live view, and JSON with its schemas."""
