"""The command line: it parses flags, calls one function, and prints the result."""
