"""Transports to nodes and to jump hosts; all nodes behind a jump host share its transport."""

from __future__ import annotations

import errno
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.ssh.cache import SharedCache, StartLimiter, one_at_a_time
from fleet.ssh.error_text import describe_error
from fleet.ssh.forward.socket import ProxiedSocket, dial, proxied, watch
from fleet.ssh.handshake import authenticate, handshake
from fleet.ssh.paramiko_ext.channel import ChannelSocket
from fleet.ssh.paramiko_ext.errors import is_banner_error, is_timeout
from fleet.ssh.route import Hop, SshSettings
from fleet.ssh.watchdog import close_after

if TYPE_CHECKING:
    from paramiko import Transport

_PHASES = 4
"""Banner, key exchange and authentication, each with the connection's timeout, and a reserve."""


_PAUSES = (0.3, 1.2, 3.0)
"""Seconds before further tries at a connection that sshd refused or dropped at once."""


_MAX_STARTS = 6
"""Connections that begin at one sshd together: below its MaxStartups (10:30:100), since other
users need some too."""


_RETRY_AFTER = 10
"""Seconds for which a jump host that could not be reached is not tried again."""


_PROHIBITED = 1
"""The reason code of a channel that the sshd's own settings forbid (RFC 4254, 5.1)."""


_KEEPALIVE_SECONDS = 5
"""Seconds that a jump host may take to answer a keepalive."""


def open_transport(hops: tuple[Hop, ...], settings: SshSettings, name: str) -> Transport:
    """Return a transport to the last hop, logged in; raise a NodeError.

    An sshd that drops or refuses a connection at once may be starting, or full, for a moment: it is
    tried again.
    """
    limiter = _start_limiter(hops)
    for pause in (*_PAUSES, None):
        try:
            with limiter.start() if limiter else nullcontext():
                return _open_once(hops, settings, name)
        except NodeError as error:
            if pause is None or not _was_dropped(error.__cause__, pause):
                raise
        if limiter:
            limiter.halve()
        time.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - spreads the tries
    raise AssertionError  # the last try returned or raised


def _start_limiter(hops: tuple[Hop, ...]) -> StartLimiter | None:
    """Return the limiter of a ProxyCommand: behind it may be one bastion for all nodes.

    Any other sshd sees one connection begin at a time: a jump host's is shared.
    """
    hop = hops[-1]
    direct = len(hops) > 1 or not hop.proxy_command
    return None if direct else _LIMITERS.get(hop.proxy_command.replace(hop.host, "%h"))


_LIMITERS: SharedCache[str, StartLimiter] = SharedCache(lambda _: StartLimiter(_MAX_STARTS))


def _open_once(hops: tuple[Hop, ...], settings: SshSettings, name: str) -> Transport:
    with convert_errors(hops[-1], settings):
        wire = open_socket(hops, settings)
        try:
            with close_after(_PHASES * settings.seconds, wire.close):
                transport = handshake(wire, hops[-1], settings, name)
                authenticate(transport, hops[-1], settings)
        except BaseException as error:
            wire.close()
            raise _with_proxy_errors(wire, error) from error
        watch(wire, settings.seconds)
        return transport


def _with_proxy_errors(wire: Any, error: BaseException) -> BaseException:
    """Return the error, with the error output of the ProxyCommand if there is one."""
    if isinstance(wire, ProxiedSocket) and not isinstance(error, NodeError):
        return type(error)(f"{describe_error(error)}; its ProxyCommand: {wire.error_output}")
    return error


def open_socket(hops: tuple[Hop, ...], settings: SshSettings) -> Any:
    """Return a socket to the last hop; raise a NodeError about a jump host, or an OSError."""
    hop = hops[-1]
    if len(hops) > 1:
        return _open_channel(_JUMPS.get((hops[:-1], settings)), hop, settings)
    return proxied(hop) if hop.proxy_command else dial(hop, settings.seconds)


def _open_channel(jump: Transport, hop: Hop, settings: SshSettings) -> Any:
    import paramiko  # noqa: PLC0415

    place = (hop.host, hop.port)
    try:
        channel = jump.open_channel("direct-tcpip", place, ("", 0), timeout=settings.seconds)
    except paramiko.ChannelException as error:
        message = f"the jump host cannot reach the node: {error.text}"
        remedy = "check that the node is up"
        if error.code == _PROHIBITED:
            remedy = "set AllowTcpForwarding in the sshd_config of the jump host"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy) from error
    except paramiko.SSHException as error:
        if not is_timeout(error):
            raise
        _close_if_dead(jump)
        raise TimeoutError from error
    return ChannelSocket(channel)


@one_at_a_time
def _close_if_dead(jump: Transport) -> None:
    """Close a jump host's connection if it does not answer: the next node then opens another.

    A node that is down behind a working jump host looks the same at first.
    """
    if jump.is_active():
        with close_after(_KEEPALIVE_SECONDS, jump.close):
            jump.global_request("keepalive@openssh.com", wait=True)


def _open_jump(key: tuple[tuple[Hop, ...], SshSettings]) -> Transport:
    hops, settings = key
    try:
        return open_transport(hops, settings, f"jump.{hops[-1].host}")
    except NodeError as error:
        failure = error.failure
        message = f"jump host {hops[-1].place}: {failure.message}"
        through = NodeError(failure.kind, failure.step, message, failure.remedy, failure.evidence)
        raise through.at(hops[-1].place) from error


_JUMPS: SharedCache[tuple[tuple[Hop, ...], SshSettings], Any] = SharedCache(
    _open_jump, is_usable=lambda transport: bool(transport.is_active()), retry_after=_RETRY_AFTER
)


def _was_dropped(error: BaseException | None, pause: float) -> bool:
    """Return whether sshd hung up before any key was tried, as for MaxStartups and restarts."""
    import paramiko  # noqa: PLC0415

    if isinstance(error, ConnectionRefusedError):
        return pause < _PAUSES[-1]  # no process listens there: for a short time, or for good
    if isinstance(error, EOFError | ConnectionError):
        return True
    return isinstance(error, paramiko.SSHException) and is_banner_error(error)


@contextmanager
def convert_errors(hop: Hop, settings: SshSettings) -> Iterator[None]:
    """Convert every exception of the libraries into a NodeError of the right kind."""
    import paramiko  # noqa: PLC0415

    place = hop.place
    try:
        yield
    except NodeError as error:
        raise error.at(place) from error.__cause__
    except TimeoutError as error:
        message = f"connection timed out ({settings.seconds:g} s)"
        remedy = "check that the node is up, and that its address is right"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy).at(place) from error
    except socket.gaierror as error:
        message = "the host name cannot be resolved"
        remedy = "check the address in the inventory, and DNS"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy).at(place) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            message = f"the workstation cannot open more files ({error.strerror})"
            remedy = "raise the limit of open files, e.g. with `ulimit -n 4096`, and try again"
            raise NodeError(FailureKind.WORKER, Step.CONNECT, message, remedy) from error
        message = f"cannot connect: {describe_error(error)}"
        remedy = "run `ssh -v` with this user, address and port to see why"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy).at(place) from error
    except ValueError as error:
        message = f"unusable SSH key: {error}"
        remedy = "set identity_file to another key"
        raise NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy).at(place) from error
