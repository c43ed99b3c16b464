"""SSH: the only place that knows Fabric, Paramiko and sockets. Suspicious by default.

The way to a node is what ssh would go: ssh_config, jump hosts, keys and known_hosts are read once a
run. Commands run on plain channels, since Fabric's runner feeds stdin one byte a poll, and its
deadline leaves the remote process running.
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
