"""Throwaway real nodes: Debian with systemd, sshd and containerd, and mirrors to pull from."""

from tests.lab.host import LabError
from tests.lab.images import IMAGES
from tests.lab.lab import Lab
from tests.lab.node import LabNode
from tests.lab.registry import Access, Registry

__all__ = ["IMAGES", "Access", "Lab", "LabError", "LabNode", "Registry"]
