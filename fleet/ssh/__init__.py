"""SSH connections to nodes: the only package that uses Fabric, Paramiko and sockets.

Nothing from the network is trusted by default. The route to a node is that of ssh itself:
ssh_config, jump hosts, keys and known_hosts are read once a run. Commands run on plain channels,
since Fabric's runner feeds stdin one byte a poll, and its timeout leaves the remote process
running.
"""

from fleet.ssh.connection import connect
from fleet.ssh.passphrases import encrypted_keys, login_name, passphrase_fits
from fleet.ssh.pool import close_all_pooled, close_pooled, pooled_connection
from fleet.ssh.remote import CommandResult, Remote
from fleet.ssh.route import SshSettings

__all__ = [
    "CommandResult",
    "Remote",
    "SshSettings",
    "close_all_pooled",
    "close_pooled",
    "connect",
    "encrypted_keys",
    "login_name",
    "passphrase_fits",
    "pooled_connection",
]
