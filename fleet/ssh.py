"""SSH: the only place that knows Fabric, Paramiko and sockets. Suspicious by default.

Fabric resolves the user's ssh_config, jump hosts and keys. Commands run on plain channels, since
Fabric's runner feeds stdin one byte a poll, and its deadline leaves the remote process running.
"""

from __future__ import annotations

import posixpath
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fleet.core.model import Node
from fleet.core.outcome import FailureKind, NodeError

if TYPE_CHECKING:
    from fabric import Connection
    from paramiko import Channel, SSHClient

_CHUNK = 1 << 16
_OUTPUT_LIMIT = 64 << 20
_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True, slots=True)
class Said:
    """What a remote command said; a non-zero exit code is an answer too."""

    code: int
    stdout: str
    stderr: str


class Remote(Protocol):
    """What fleet may do to a node, and all that a fake has to imitate."""

    def run(self, line: str, *, stdin: bytes, seconds: float) -> Said:
        """Run `line` in the login shell; `seconds` is the net below the node's own deadline."""
        ...

    def put(self, content: bytes, directory: str, name: str) -> None:
        """Write `content` into a new folder that only the login user can read."""
        ...


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How to connect: another ssh_config than the user's, and a deadline in seconds."""

    config_file: str | None = None
    seconds: float = 10


@contextmanager
def connect(node: Node, settings: SshSettings) -> Iterator[Remote]:
    """Open a connection to `node`; raise a NodeError that says what to do where that fails."""
    connection = _connection(node, settings)
    try:
        with _failures(node, connection, settings):
            connection.open()
        yield FabricRemote(connection)
    finally:
        connection.close()


def _connection(node: Node, settings: SshSettings) -> Connection:
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
    jump = connection.gateway
    while isinstance(jump, Connection):  # every jump host's key is checked as the node's is
        jump.connect_timeout = settings.seconds
        _prepare(jump.client, jump.host, config.base_ssh_config.lookup(jump.original_host))
        jump = jump.gateway
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

    user = about.get("userknownhostsfile", " ".join(_KNOWN_HOSTS)).split()
    shared = about.get("globalknownhostsfile", " ".join(_GLOBAL_KNOWN_HOSTS)).split()
    known = tuple(str(Path(each).expanduser()) for each in user)
    for each in (*known, *shared):
        if Path(each).is_file():
            client.load_system_host_keys(each)
    client.set_missing_host_key_policy(RefuseUnknownHost())
    client.set_log_channel(f"fleet.ssh.{name}")


@contextmanager
def _failures(node: Node, connection: Connection, settings: SshSettings) -> Iterator[None]:
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


class FabricRemote:
    """A Remote over one Fabric connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, line: str, *, stdin: bytes, seconds: float) -> Said:
        """Run `line` with `stdin` as its input, bounded in time and in output."""
        import paramiko  # noqa: PLC0415

        deadline = time.monotonic() + seconds
        try:
            channel = self._connection.transport.open_session(timeout=seconds)
            with channel:
                channel.settimeout(seconds)
                channel.exec_command(line)
                _feed(channel, stdin)
                stdout = _drain(channel, deadline)
                return Said(_exit_code(channel, deadline), stdout, _errors(channel))
        except TimeoutError as error:
            message = f"no answer within {seconds:g} s"
            raise NodeError(FailureKind.TIMEOUT, "run", message) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            message = f"the connection was lost: {error or type(error).__name__}"
            raise NodeError(FailureKind.CONNECT, "run", message) from error

    def put(self, content: bytes, directory: str, name: str) -> None:
        """Write `content` by SFTP, pipelined; the folder must not be there yet."""
        import paramiko  # noqa: PLC0415

        try:
            sftp = self._connection.sftp()
            sftp.get_channel().settimeout(60)
            sftp.mkdir(directory, 0o700)
            with sftp.open(posixpath.join(directory, name), "wx") as target:
                target.set_pipelined(True)
                target.write(content)
        except TimeoutError as error:
            raise NodeError(FailureKind.TIMEOUT, "upload", "SFTP hangs for 60 s") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            message = (
                f"SFTP could not write {len(content)} bytes to {directory}:"
                f" {error or type(error).__name__}; is SFTP on in sshd_config, has /tmp space?"
            )
            raise NodeError(FailureKind.UPLOAD, "upload", message) from error


def _feed(channel: Channel, stdin: bytes) -> None:
    """Send the input; a remote side that closed early says why in its answer."""
    try:
        channel.sendall(stdin)
        channel.shutdown_write()
    except OSError:
        if not channel.exit_status_ready() and not channel.recv_ready():
            raise


def _drain(channel: Channel, deadline: float) -> str:
    parts: list[bytes] = []
    size = 0
    while True:
        channel.settimeout(max(0.01, deadline - time.monotonic()))
        part = channel.recv(_CHUNK)
        if not part:
            return b"".join(parts).decode("utf-8", "replace")
        size += len(part)
        if size > _OUTPUT_LIMIT:
            message = f"the node answered with more than {_OUTPUT_LIMIT >> 20} MiB"
            raise NodeError(FailureKind.PROTOCOL, "run", message)
        parts.append(part)


def _exit_code(channel: Channel, deadline: float) -> int:
    if not channel.status_event.wait(max(0.01, deadline - time.monotonic())):
        raise TimeoutError
    code = channel.recv_exit_status()
    if code == -1:
        raise EOFError("the node closed it before the command ended")
    return code


def _errors(channel: Channel) -> str:
    parts = b""
    while channel.recv_stderr_ready() and len(parts) < _CHUNK * 4:
        parts += channel.recv_stderr(_CHUNK)
    return parts.decode("utf-8", "replace")
