"""The handshake and login on an open socket: few round trips, one key, strict host keys."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail
from fleet.core.text.counts import counted
from fleet.ssh.algorithms import algorithm_mismatch
from fleet.ssh.certificates import expired_certificate
from fleet.ssh.keys import Identity, identities, locked_files, record_accepted
from fleet.ssh.known_hosts import ShownKey, known_keys, refuse_unless_known
from fleet.ssh.paramiko_ext.errors import is_timeout
from fleet.ssh.route import Hop, SshSettings

if TYPE_CHECKING:
    from paramiko import Transport

    from fleet.ssh.paramiko_ext.transport import ClientTransport

# docs/explanation/ssh.md measures the cost of a connection by algorithm. Key exchange: OpenSSH's
# own first choice (post-quantum since 10.0), then the cheapest. Ciphers: AES-GCM needs no HMAC over
# every packet, and the attack on sequence numbers (CVE-2023-48795) does not affect it. Algorithms
# that OpenSSH has dropped (CBC, 3DES, SHA-1, MD5) are not offered.
_KEX = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
)
_HUNG_UP = (
    "sshd closed the connection during the login (a locked account, or no free processes or memory;"
    " see `journalctl -u ssh` on the node)"
)
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
_HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


def handshake(wire: Any, hop: Hop, settings: SshSettings, name: str) -> Transport:
    """Exchange keys over a socket; the host has then proven that it holds the key that it shows.

    Raise Paramiko's exceptions, and a TimeoutError if the host is silent.
    """
    import paramiko  # noqa: PLC0415

    from fleet.ssh.paramiko_ext.transport import ClientTransport  # noqa: PLC0415

    began = time.monotonic()
    transport = ClientTransport(wire, settings.seconds)
    transport.set_log_channel(f"fleet.ssh.{name}")
    _set_algorithms(transport, hop)
    try:
        transport.exchange_keys(2 * settings.seconds)
    except BaseException as error:
        transport.close()
        if (
            isinstance(error, paramiko.SSHException)
            and time.monotonic() - began >= settings.seconds
        ):
            raise TimeoutError from error  # Paramiko reports a silent sshd as a bad banner
        _refuse_mismatch(transport, error)
        if transport.text_before_version:
            raise paramiko.SSHException(
                f"{error}; it sent: {tail(transport.text_before_version)}"
            ) from error
        raise
    return transport


def _refuse_mismatch(transport: ClientTransport, error: BaseException) -> None:
    """Raise a NodeError with both lists if no algorithm of some kind was in common."""
    import paramiko  # noqa: PLC0415

    offered = transport.server_algorithms
    if not isinstance(error, paramiko.ssh_exception.IncompatiblePeer) or not offered:
        return
    options = transport.get_security_options()
    ours = {
        "KexAlgorithms": options.kex,
        "HostKeyAlgorithms": options.key_types,
        "Ciphers": options.ciphers,
        "MACs": options.digests,
    }
    if mismatch := algorithm_mismatch(ours, offered):
        keyword, lists = mismatch
        message = f"no {keyword} in common with sshd: {tail(lists, 1)}"
        remedy = f"set {keyword} in its sshd_config, or in your ssh_config"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy) from error


def server_key(transport: Transport) -> ShownKey:
    """Return the host key that the host has proven to hold."""
    key = transport.get_remote_server_key()
    return ShownKey(key.get_name(), key.asbytes())


def _set_algorithms(transport: Transport, hop: Hop) -> None:
    """Offer the cheapest good algorithms, or those of ssh_config; the known host key's kind first.

    Host keys are sorted by what known_hosts holds, as OpenSSH does.
    """
    from fleet.ssh.paramiko_ext.transport import implemented_algorithms  # noqa: PLC0415

    options, able = transport.get_security_options(), implemented_algorithms()
    configured = dict(hop.algorithms)
    options.kex = _select_algorithms(configured.get("kexalgorithms"), _KEX, able.kex)
    options.ciphers = _select_algorithms(configured.get("ciphers"), _CIPHERS, able.ciphers)
    options.digests = _select_algorithms(configured.get("macs"), _MACS, able.macs)
    kinds = {
        known.kind
        for known in known_keys((*hop.known_hosts, *hop.global_known_hosts), hop.key_names)
    }
    keys = _select_algorithms(configured.get("hostkeyalgorithms"), _HOST_KEYS, able.host_keys)
    options.key_types = tuple(sorted(keys, key=lambda algorithm: _kind(algorithm) not in kinds))


def _kind(algorithm: str) -> str:
    """Return the kind of key that known_hosts has for a signature algorithm."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _select_algorithms(
    configured: str | None, ours: Sequence[str], possible: Collection[str]
) -> tuple[str, ...]:
    """Apply ssh_config's list (`a,b`, `+a`, `-a` or `^a`) to ours, as far as Paramiko can."""
    able = [name for name in ours if name in possible]
    sign = configured[0] if configured and configured[0] in "+-^" else ""
    names = [name.strip() for name in (configured or "").removeprefix(sign).split(",")]
    named = [name for name in names if name in possible]
    if sign == "-":
        return tuple(name for name in able if name not in names)
    if sign == "+":
        return tuple(dict.fromkeys((*able, *named)))
    if sign == "^":
        return tuple(dict.fromkeys((*named, *able)))
    return tuple(named or able)


def authenticate(transport: Transport, hop: Hop, settings: SshSettings) -> None:
    """Check the host's key, then log in with as few tries as possible; raise a NodeError."""
    refuse_unless_known(
        server_key(transport), hop.key_names, hop.known_hosts, hop.global_known_hosts
    )
    keys = identities(hop, settings)
    if not keys:
        raise _missing_key(hop, settings)
    for number, identity in enumerate(keys, 1):
        accepted, methods = _try_key(transport, hop, identity, earlier=number > 1)
        if accepted:
            record_accepted(hop, identity)
            return
        if "publickey" not in methods or not transport.is_active() or number == len(keys):
            raise _refused_keys(keys[:number], methods, gone=not transport.is_active())


def _try_key(
    transport: Transport, hop: Hop, identity: Identity, *, earlier: bool
) -> tuple[bool, tuple[str, ...]]:
    """Try one key; return whether it was accepted, and the methods that sshd still offers."""
    import paramiko  # noqa: PLC0415

    from fleet.ssh.paramiko_ext.auth import EagerAuth  # noqa: PLC0415

    handler = EagerAuth(transport)
    try:
        more = handler.log_in(hop.user, identity.key)
    except paramiko.AuthenticationException as error:
        if is_timeout(error):
            raise TimeoutError from error
        if not transport.is_active() and not handler.allowed_methods:
            if handler.banner_text:
                raise _closed_login(handler.banner_text) from error
            if not earlier:
                # The key was not refused: sshd closed the connection.
                raise EOFError(_HUNG_UP) from error
        return False, handler.allowed_methods
    return not more, ("more", *more)


def _closed_login(banner: str) -> NodeError:
    """Return the error for a login that sshd ended with a message, not because of the key."""
    message = f"sshd refused the login: {tail(banner, 3)}"
    remedy = (
        "check on the node whether the account has expired (`chage -l USER`) or logins are closed"
        " (/etc/nologin)"
    )
    return NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy)


def _missing_key(hop: Hop, settings: SshSettings) -> NodeError:
    locked = locked_files(hop, settings)
    if locked:
        why = f"{locked[0]} is encrypted and not in the agent"
        remedy = f"run `ssh-add {locked[0]}`"
    elif hop.explicit_files:
        files = ", ".join(hop.identity_files)
        why = f"{files} does not exist and is not in the agent (`ssh-add -l`)"
        remedy = "set identity_file to another key, or run `ssh-add` for this one"
    else:
        why = "none is configured"
        remedy = (
            "set identity_file in the inventory (or IdentityFile in ssh_config), or run `ssh-add`"
        )
    message = f"no SSH key to log in with: {why}"
    return NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy)


def _certificate_problem(identity: Identity) -> str:
    """Return when an identity's certificate expired or becomes valid; empty if it is valid."""
    from fleet.ssh.paramiko_ext.auth import certificate_blob  # noqa: PLC0415

    return expired_certificate(certificate_blob(identity.key) or identity.blob, time.time())


def _refused_keys(tried: Sequence[Identity], methods: Sequence[str], *, gone: bool) -> NodeError:
    """Return the error that names the refused keys, and what sshd would accept."""
    names = ", ".join(f"{key.label} {ShownKey('', key.blob).fingerprint}" for key in tried)
    stale = [(key, when) for key in tried if (when := _certificate_problem(key))]
    if stale:
        identity, when = stale[0]
        message = f"sshd refused {identity.label}: its certificate {when}"
        remedy = "renew the certificate (`ssh-keygen -L -f` shows it), and check the clocks"
    elif methods[:1] == ("more",):
        needed = " and ".join(methods[1:])
        message = (
            f"sshd accepted the key {names}, but also requires {needed}, which fleet does not"
            " support"
        )
        remedy = "let this user log in by key alone (AuthenticationMethods in sshd_config)"
    elif methods and "publickey" not in methods:
        message = f"sshd accepts only {', '.join(methods)}, but fleet logs in by key"
        remedy = "set PubkeyAuthentication yes in sshd_config, then install the key (`ssh-copy-id`)"
    elif gone:
        message = (
            f"sshd closed the connection after {counted(len(tried), 'key')} (MaxAuthTries): {names}"
        )
        remedy = (
            "set the right key (identity_file in the inventory, or IdentityFile with IdentitiesOnly"
            " yes in ssh_config)"
        )
    else:
        message = f"sshd refused {counted(len(tried), 'key')}: {names}"
        remedy = "check user and identity_file, and authorized_keys on the node"
    return NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy)
