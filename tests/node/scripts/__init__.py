"""The node-side shell code: its heads, its assembly, and each library file by itself."""
