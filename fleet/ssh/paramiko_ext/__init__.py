"""All use of Paramiko's and Fabric's internals, one module for each class that is extended.

Names with an underscore, overridden internals, undocumented attributes and the texts of messages
may change with any release. pyproject.toml therefore limits their versions, and a test lists
everything that these modules rely on.
"""
