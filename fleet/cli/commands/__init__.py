"""The click commands, one function each; each calls one function of another module."""
