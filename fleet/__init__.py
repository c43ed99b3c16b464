"""Roll out containerd registry mirrors to a fleet of nodes over SSH, safely."""

__version__ = "0.1.0"
