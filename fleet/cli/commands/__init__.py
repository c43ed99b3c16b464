"""The commands, one module each: each parses its flags, calls one action, and prints.

Actions and output are imported by the command that runs, so that `fleet --help` stays fast.
"""
