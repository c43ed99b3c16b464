"""What fleet knows and decides: values in, values out, never touching the world."""
