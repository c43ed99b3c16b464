"""Opening a connection: the user's ssh_config, strict host keys, deadlines, few tries."""

from __future__ import annotations

import functools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.model import Node
from fleet.core.outcome import FailureKind, NodeError
from fleet.ssh.deadline import bounded
from fleet.ssh.remote import FabricRemote, Remote

if TYPE_CHECKING:
    from fabric import Connection
    from paramiko import SSHClient

_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_KEEPALIVE = 5
"""Seconds of silence before the kernel asks whether the other side is still there."""
_PATIENCE = 3
"""How many times the connection's deadline a network may be dead before we give it up."""
_PHASES = 4
_PAUSES = (0.3, 1.2)
"""Seconds before a second and a third try at a connection that sshd refused or dropped at once."""


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How to connect: another ssh_config than the user's, and a deadline in seconds."""

    config_file: str | None = None
    seconds: float = 10


@contextmanager
def connect(node: Node, settings: SshSettings) -> Iterator[Remote]:
    """Open a connection to `node`; raise a NodeError that says what to do where that fails."""
    connection = _opened(node, settings)
    try:
        yield FabricRemote(connection)
    finally:
        connection.close()
        _close(connection)


def _opened(node: Node, settings: SshSettings) -> Connection:
    """Connect; an sshd that drops or refuses us at once may be starting, or full, for a moment."""
    for pause in (*_PAUSES, None):
        connection = prepared(node, settings)
        try:
            # TCP, banner, key exchange and authentication together, over every jump host.
            seconds = _PHASES * settings.seconds * len(list(_hops(connection)))
            with (
                failures(node, connection, settings),
                bounded(seconds, functools.partial(_close, connection)),
            ):
                connection.open()
        except NodeError as error:
            _close(connection)
            if pause is None or not _dropped(error.__cause__):
                raise
            time.sleep(pause)
        else:
            _watch(connection, settings)
            return connection
    raise AssertionError  # the last try returned or raised


def _watch(connection: Connection, settings: SshSettings) -> None:
    """Let the kernel notice a dead network; a reader would wait for its command's deadline."""
    for hop in _hops(connection):
        wire = hop.transport.sock
        if isinstance(wire, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
                wire.setsockopt(socket.IPPROTO_TCP, option, _KEEPALIVE)
            patience = int(_PATIENCE * settings.seconds * 1000)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience)


def _dropped(error: BaseException | None) -> bool:
    """Say whether sshd hung up before any key was tried: MaxStartups and restarts look so."""
    import paramiko  # noqa: PLC0415

    if isinstance(error, EOFError | ConnectionError):
        return True
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return any(isinstance(each, ConnectionError) for each in error.errors.values())
    return isinstance(error, paramiko.SSHException) and "banner" in str(error)


def _hops(connection: Any) -> Iterator[Connection]:
    """Yield a connection and those of its jump hosts."""
    from fabric import Connection  # noqa: PLC0415

    while isinstance(connection, Connection):
        yield connection
        connection = connection.gateway


def _close(connection: Connection) -> None:
    """Close a connection with its jump hosts, however far it came."""
    for hop in _hops(connection):
        hop.client.close()


def prepared(node: Node, settings: SshSettings) -> Connection:
    """Prepare a Fabric connection with nothing from the surroundings but ssh_config."""
    from fabric import Config, Connection  # noqa: PLC0415 - 0.2 s that `fleet --help` need not pay

    config = Config(lazy=True, runtime_ssh_path=settings.config_file)
    config.load_ssh_config()
    about = config.base_ssh_config.lookup(node.host)
    connection = Connection(
        node.host,
        user=node.user,
        port=node.port,
        config=config,
        gateway=_gateway(node, config),
        connect_timeout=settings.seconds,
        connect_kwargs=_connect_arguments(node, settings, about),
    )
    _prepare(connection.client, node.name, about)
    for jump in _hops(connection.gateway):  # every jump host's key is checked as the node's is
        jump.connect_timeout = settings.seconds
        _prepare(jump.client, jump.host, config.base_ssh_config.lookup(jump.original_host))
    return connection


def _gateway(node: Node, config: Any) -> Any:
    """Return the jump host that the inventory names; None leaves it to ssh_config."""
    from fabric import Connection  # noqa: PLC0415

    return Connection(node.jump, config=config) if node.jump else None


def _connect_arguments(node: Node, settings: SshSettings, about: Any) -> dict[str, Any]:
    """Choose keys and deadlines: Paramiko has timers of their own for banner and auth."""
    arguments: dict[str, Any] = {
        "banner_timeout": settings.seconds,
        "auth_timeout": settings.seconds,
        "compress": False,
    }
    if node.identity_file:
        arguments["key_filename"] = [str(Path(node.identity_file).expanduser())]
    if node.identity_file or about.get("identitiesonly", "no") == "yes":
        arguments["look_for_keys"] = False
    if about.get("identitiesonly", "no") == "yes":
        arguments["allow_agent"] = False
    return arguments


def known_files(connection: Connection) -> tuple[Path, ...]:
    """Return the files that hold host keys for a connection; the first is the user's own."""
    user, shared = _known_files(connection.config.base_ssh_config.lookup(connection.original_host))
    return (*user, *shared)


def _known_files(about: Any) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    user = about.get("userknownhostsfile", " ".join(_KNOWN_HOSTS)).split()
    shared = about.get("globalknownhostsfile", " ".join(_GLOBAL_KNOWN_HOSTS)).split()
    mine, all_users = ([Path(each).expanduser() for each in files] for files in (user, shared))
    return tuple(mine), tuple(all_users)


def _prepare(client: SSHClient, name: str, about: Any) -> None:
    """Load known hosts as OpenSSH would, and refuse every key that is not among them."""
    from paramiko import MissingHostKeyPolicy  # noqa: PLC0415

    class RefuseUnknownHost(MissingHostKeyPolicy):
        """Turn an unknown key into a failure; Fabric's default adds any key."""

        def missing_host_key(self, client: object, hostname: str, key: Any) -> None:
            """Refuse."""
            del client
            where = known[0] if known else "~/.ssh/known_hosts"
            message = (
                f"unknown {key.get_name()} key {key.fingerprint} of {hostname};"
                f" compare it at the console, then add it to {where}"
            )
            raise NodeError(FailureKind.HOST_KEY, "connect", message)

    known, shared = _known_files(about)
    for path in (*known, *shared):
        if path.is_file():
            client.load_system_host_keys(str(path))
    client.set_missing_host_key_policy(RefuseUnknownHost())
    client.set_log_channel(f"fleet.ssh.{name}")


@contextmanager
def failures(node: Node, connection: Connection, settings: SshSettings) -> Iterator[None]:
    """Turn every exception of the libraries into a NodeError of the right kind."""
    import paramiko  # noqa: PLC0415

    place = f"{connection.user}@{connection.host}:{connection.port}"
    try:
        yield
    except NodeError:
        raise
    except paramiko.BadHostKeyException as error:
        message = (
            f"the host key of {error.hostname} CHANGED; find out why at the console, then remove"
            f" its old line from known_hosts (ssh-keygen -R {node.host})"
        )
        raise NodeError(FailureKind.HOST_KEY, "connect", message) from error
    except (paramiko.AuthenticationException, paramiko.PasswordRequiredException) as error:
        message = (
            f"{place} refused our keys ({error}); check user, identity_file and the agent"
            f" (ssh-add -l)"
        )
        raise NodeError(FailureKind.AUTH, "connect", message) from error
    except (TimeoutError, socket.gaierror) as error:
        what = "timed out" if isinstance(error, TimeoutError) else "cannot be resolved"
        message = f"{place} {what} ({settings.seconds:g} s); is the node up and its address right?"
        raise NodeError(FailureKind.CONNECT, "connect", message) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        message = f"no SSH connection to {place}: {error or type(error).__name__}"
        raise NodeError(FailureKind.CONNECT, "connect", message) from error
    except ValueError as error:
        raise NodeError(FailureKind.AUTH, "connect", f"{place}: unusable key: {error}") from error
