"""SSH: the only place that knows Fabric, Paramiko and sockets. Suspicious by default.

The way to a node is what ssh would go: ssh_config, jump hosts, keys and known_hosts are read once a
run. Commands run on plain channels, since Fabric's runner feeds stdin one byte a poll, and its
deadline leaves the remote process running.
"""

from fleet.ssh.connection import connect
from fleet.ssh.passphrases import locked_keys, login, opens
from fleet.ssh.pool import forget, forget_all, kept
from fleet.ssh.remote import Remote, Said
from fleet.ssh.route import SshSettings

__all__ = [
    "Remote",
    "Said",
    "SshSettings",
    "connect",
    "forget",
    "forget_all",
    "kept",
    "locked_keys",
    "login",
    "opens",
]
