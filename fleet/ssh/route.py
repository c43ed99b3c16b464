"""The route to a node as ssh would take it: each hop with its address, user, keys, known hosts."""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.home import expanded
from fleet.ssh.ssh_config import UserConfig, user_config

_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_GLOBAL_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
_IDENTITIES = ("~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519")
"""The identity files that OpenSSH tries by default, in its order."""
_JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]+)@)?"
    r"(?:\[(?P<literal>[^\]]+)\]|(?P<bare>[^:\[\]]*(?::[^:\[\]]*){2,})|(?P<name>[^:\[\]]+))"
    r"(?::(?P<port>\d+))?/?"
)
_PORT = re.compile(r"[0-9]{1,5}")
_MAX_HOPS = 8
_ALGORITHMS = ("kexalgorithms", "ciphers", "macs", "hostkeyalgorithms")


@dataclass(frozen=True, slots=True)
class SshSettings:
    """The settings of connections: an ssh_config instead of the user's, and a timeout in seconds.

    `passphrases` open the identity files at these paths; they stay in memory.
    """

    config_file: str | None = None
    seconds: float = 10
    passphrases: tuple[tuple[str, Secret], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One sshd on the way, as ssh_config and the inventory resolve it.

    `identity_files` are in the order of trying; `explicit_files` means that the user chose them,
    `identities_only` that no other key may be tried. `proxy_command` replaces the network.
    """

    host: str
    port: int
    user: str
    identity_files: tuple[str, ...] = ()
    explicit_files: bool = False
    identities_only: bool = False
    agent_socket: str = ""
    host_key_alias: str = ""
    known_hosts: tuple[str, ...] = ()
    global_known_hosts: tuple[str, ...] = ()
    proxy_command: str = ""
    address_family: str = "any"
    algorithms: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """Return its name in messages: user@host:port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}"

    @property
    def key_names(self) -> tuple[str, ...]:
        """Return the names that known_hosts may have for it; a new entry gets the first."""
        if self.host_key_alias:
            return (self.host_key_alias,)
        names = dict.fromkeys((self.host.lower(), _canonical_name(self.host)))
        return tuple(name if self.port == 22 else f"[{name}]:{self.port}" for name in names)


def _canonical_name(host: str) -> str:
    """Return an IP address in its canonical form, any other name in lower case."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower()


def route(node: Node, settings: SshSettings) -> tuple[Hop, ...]:
    """Return the hops to a node, the node itself last; raise a NodeError if they are invalid."""
    config = user_config(settings.config_file)
    options = _look_up_host(config, node.host, node.user, node.port)
    last = _make_hop(options, node.host, node.identity_file)
    jumps = node.jump or options.get("proxyjump")
    return (*_jump_hops(config, jumps, last), last)


def _jump_hops(config: UserConfig, jumps: str | None, last: Hop, depth: int = 0) -> tuple[Hop, ...]:
    """Return the hops before `last`; a jump host's own jumps come before it, as with ssh -J."""
    if not jumps or jumps.lower() == "none":
        return ()
    before, _, spec = jumps.strip().rpartition(",")
    match = _JUMP.fullmatch(spec.strip())
    if match is None or depth >= _MAX_HOPS:
        problem = "is not [user@]host[:port]" if match is None else "leads back to itself"
        message = f"the jump host {spec!r} {problem}"
        remedy = "correct jump in the inventory, or ProxyJump in ssh_config"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy)
    name = match["literal"] or match["bare"] or match["name"]
    port = int(match["port"]) if match["port"] else None
    options = _look_up_host(config, name, match["user"], port)
    hop = _make_hop(options, name, None)
    if (hop.host, hop.port) == (last.host, last.port):
        return ()  # `Host *` with a ProxyJump applies to the jump host as well
    return (*_jump_hops(config, before or options.get("proxyjump"), hop, depth + 1), hop)


def _look_up_host(
    config: UserConfig, host: str, user: str | None, port: int | None
) -> Mapping[str, Any]:
    try:
        return config.lookup(host, user, port)
    except Exception as error:  # Match exec runs the user's commands: it can raise anything
        message = f"ssh_config cannot be read for {host}: {error or type(error).__name__}"
        remedy = f"find the mistake with `ssh -G {host}`"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy) from error


def _make_hop(options: Mapping[str, Any], name: str, identity: str | None) -> Hop:
    configured = (file for file in options.get("identityfile", ()) if file.lower() != "none")
    chosen = (*((identity,) if identity else ()), *configured)
    port = str(options.get("port", 22))
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        message = f"the port of {name} in ssh_config is not a number from 1 to 65535: {port!r}"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, "correct it there")
    command = "" if options.get("proxyjump") else options.get("proxycommand") or ""
    return Hop(
        host=options.get("hostname", name),
        port=int(port),
        user=options.get("user") or getpass.getuser(),
        identity_files=_expand_paths(chosen or _IDENTITIES),
        explicit_files=bool(chosen),
        identities_only=options.get("identitiesonly", "no").lower() == "yes",
        agent_socket=_agent_socket(options.get("identityagent", "SSH_AUTH_SOCK")),
        host_key_alias=options.get("hostkeyalias", ""),
        known_hosts=_expand_paths(options.get("userknownhostsfile", _KNOWN_HOSTS).split()),
        global_known_hosts=_expand_paths(
            options.get("globalknownhostsfile", _GLOBAL_KNOWN_HOSTS).split()
        ),
        proxy_command=command,
        address_family=options.get("addressfamily", "any").lower(),
        algorithms=tuple((key, options[key]) for key in _ALGORITHMS if key in options),
    )


def _expand_paths(names: Any) -> tuple[str, ...]:
    paths = (str(expanded(name.strip('"'))) for name in names)
    return tuple(dict.fromkeys(paths))


def _agent_socket(configured: str) -> str:
    """Return the agent's socket: IdentityAgent is a path, a variable, or none."""
    if configured.lower() == "none":
        return ""
    if configured == "SSH_AUTH_SOCK" or configured.startswith("$"):
        return os.environ.get(configured.lstrip("$").strip("{}"), "")
    return str(expanded(configured))
