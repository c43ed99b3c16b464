"""SSH: the only place that knows Fabric, Paramiko and sockets. Suspicious by default.

Fabric resolves the user's ssh_config, jump hosts and keys. Commands run on plain channels, since
Fabric's runner feeds stdin one byte a poll, and its deadline leaves the remote process running.
"""

from fleet.ssh.connect import connect
from fleet.ssh.remote import Remote, Said
from fleet.ssh.route import SshSettings

__all__ = ["Remote", "Said", "SshSettings", "connect"]
