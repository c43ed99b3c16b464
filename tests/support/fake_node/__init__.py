"""Fake nodes: fleet's own scripts on a private tree, without root, sshd or containerd."""

from tests.support.fake_node.endpoint import write_ssh_config
from tests.support.fake_node.namespace import FakeNodeError
from tests.support.fake_node.node import FakeNode

__all__ = ["FakeNode", "FakeNodeError", "write_ssh_config"]
