"""Connections through SSH: TCP, TLS, a command's input and output, and reverse forwarding."""
