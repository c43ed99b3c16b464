"""The keys that open a hop, in the order of trying: agents and key files, each read once a run."""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.secret import Secret
from fleet.ssh.cache import SharedCache
from fleet.ssh.route import Hop, SshSettings

if TYPE_CHECKING:
    from paramiko import PKey

_OPENSSH = b"openssh-key-v1\x00"
_ARMOUR = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----(.*?)-----END", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Identity:
    """A key that may open a hop, and where it comes from."""

    label: str
    blob: bytes
    key: PKey


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An identity file as seen without opening it: whether it is locked, and its public half.

    `public` is empty if the public half can be read only by opening the file.
    """

    path: str
    locked: bool
    public: bytes
    private: bool = True


def read_key_file(path: str) -> KeyFile | None:
    """Read what an identity file shows without opening it; return None if there is none."""
    try:
        return _KEY_FILES.get((path, Path(path).stat().st_mtime_ns))
    except OSError:
        return None


def _inspect_file(stamp: tuple[str, int]) -> KeyFile:
    path = stamp[0]
    content = Path(path).read_bytes()
    if (armour := _ARMOUR.search(content)) is None:
        return KeyFile(path, locked=False, public=_parse_public(content), private=False)
    if not armour[1].startswith(b"OPENSSH"):
        locked = b"ENCRYPTED" in armour[1] or b",ENCRYPTED" in armour[2]
        return KeyFile(path, locked, _read_public_file(path))
    cipher, public = _parse_openssh(armour[2])
    return KeyFile(path, cipher != b"none", public or _read_public_file(path))


_KEY_FILES: SharedCache[tuple[str, int], KeyFile] = SharedCache(_inspect_file)


def _read_public_file(path: str) -> bytes:
    try:
        return _parse_public(Path(f"{path}.pub").read_bytes())
    except OSError:
        return b""


def _parse_public(line: bytes) -> bytes:
    """Read the key in a line of a .pub file; return b"" for anything else."""
    try:
        return base64.b64decode(line.split()[1], validate=True)
    except (IndexError, binascii.Error, ValueError):
        return b""


def _parse_openssh(body: bytes) -> tuple[bytes, bytes]:
    """Return the cipher of OpenSSH's format and the public key, which is not encrypted there.

    https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
    """
    try:
        data = base64.b64decode(body)
        fields, offset = [], len(_OPENSSH)
        for index in range(5):  # cipher, kdf, its options, how many keys, the first one
            (size,) = struct.unpack_from(">I", data, offset)
            offset += 4 if index == 3 else 4 + size
            fields.append(b"" if index == 3 else data[offset - size : offset])
    except (binascii.Error, ValueError, struct.error):
        return b"", b""
    return (fields[0], fields[4]) if data.startswith(_OPENSSH) else (b"", b"")


def open_key(path: str, passphrase: Secret | None) -> Any:
    """Load a private key with its certificate; raise a NodeError with a remedy on failure."""
    try:
        return _PRIVATE_KEYS.get((path, Path(path).stat().st_mtime_ns, passphrase))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        remedy = "make it readable, or set identity_file to another key"
        raise NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy) from error


def _load_key(source: tuple[str, int, Secret | None]) -> PKey:
    import paramiko  # noqa: PLC0415

    path, _, passphrase = source
    problem: Exception | None = None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key = kind.from_private_key_file(path, passphrase)
        except paramiko.PasswordRequiredException as error:
            remedy = f"run `ssh-add {path}`, or run fleet in a terminal, which asks for it"
            message = f"{path} is encrypted"
            raise NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy) from error
        except (OSError, ValueError, paramiko.SSHException) as error:
            problem = problem or error
            continue
        return _load_certificate(key, path)
    if (converted := _load_pkcs8(path, passphrase)) is not None:
        return _load_certificate(converted, path)
    message = f"{path} is not a usable private key: {problem}"
    remedy = f"check it with `ssh-keygen -y -f {path}`"
    raise NodeError(FailureKind.AUTH, Step.CONNECT, message, remedy)


def _load_certificate(key: PKey, path: str) -> PKey:
    if Path(f"{path}-cert.pub").is_file():
        key.load_certificate(f"{path}-cert.pub")
    return key


def _load_pkcs8(path: str, passphrase: Secret | None) -> Any:
    """Read a PKCS#8 file, as openssl writes it: Paramiko's key classes cannot read it."""
    import paramiko  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    kinds: dict[str, Any] = {
        "EC": paramiko.ECDSAKey,
        "RS": paramiko.RSAKey,
        "Ed": paramiko.Ed25519Key,
    }
    secret = passphrase.encode() if passphrase else None
    try:
        key: Any = form.load_pem_private_key(Path(path).read_bytes(), secret)
        plain = key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()
        )
        kind = next(kind for name, kind in kinds.items() if name in type(key).__name__)
        return kind.from_private_key(io.StringIO(plain.decode()))
    except (OSError, ValueError, TypeError, StopIteration, paramiko.SSHException):
        return None


_PRIVATE_KEYS: SharedCache[tuple[str, int, Secret | None], Any] = SharedCache(
    _load_key, retry_after=5
)


def _list_agent(path: str) -> tuple[Identity, ...]:
    """List an agent's keys over a connection that all workers share; return () without an agent."""
    from paramiko import SSHException  # noqa: PLC0415

    from fleet.ssh.paramiko_ext.agent import agent_keys  # noqa: PLC0415

    try:
        keys = agent_keys(path)
    except (OSError, SSHException):
        return ()
    return tuple(Identity(f"agent: {key.comment or key.name}", key.blob, key) for key in keys)


_AGENTS: SharedCache[str, tuple[Identity, ...]] = SharedCache(_list_agent)
_ACCEPTED: dict[object, bytes] = {}
"""The key that last opened a hop, by the keys to choose from: it is tried first at the next hop."""


def identities(hop: Hop, settings: SshSettings) -> tuple[Identity, ...]:
    """Return the keys to try, each once: named ones first, then the agent's others.

    The agent signs for a named key that it holds. The key that opened an earlier hop with the same
    choice of keys comes first, as sshd counts every try (MaxAuthTries).
    """
    by_blob = {identity.blob: identity for identity in _ordered_identities(hop, settings)}
    first = by_blob.pop(_ACCEPTED.get(_choice(hop), b""), None)
    return (*((first,) if first else ()), *by_blob.values())


def record_accepted(hop: Hop, identity: Identity) -> None:
    """Record that a key has opened a hop."""
    _ACCEPTED[_choice(hop)] = identity.blob


def _choice(hop: Hop) -> object:
    return hop.user, hop.identity_files, hop.identities_only, hop.agent_socket


def _ordered_identities(hop: Hop, settings: SshSettings) -> Iterator[Identity]:
    agent = _AGENTS.get(hop.agent_socket) if hop.agent_socket else ()
    files = [file for path in hop.identity_files if (file := read_key_file(path)) is not None]
    if hop.explicit_files:
        yield from _named_identities(files, agent, settings)
    if not hop.identities_only:
        yield from agent
    if not hop.explicit_files:
        yield from _named_identities(files, agent, settings)


def _named_identities(
    files: list[KeyFile], agent: tuple[Identity, ...], settings: SshSettings
) -> Iterator[Identity]:
    passphrases = dict(settings.passphrases)
    for file in files:
        held = [identity for identity in agent if file.public and identity.blob == file.public]
        if held or not file.private:
            yield from held
        elif not file.locked or file.path in passphrases:
            key = open_key(file.path, passphrases.get(file.path))
            yield Identity(file.path, key.asbytes(), key)


def locked_files(hop: Hop, settings: SshSettings) -> tuple[str, ...]:
    """Return the encrypted files that a hop needs opened, unless another of its keys comes first.

    A default file (~/.ssh/id_*) is needed only if no other key exists.
    """
    agent = (
        {identity.blob for identity in _AGENTS.get(hop.agent_socket)} if hop.agent_socket else set()
    )
    locked = []
    for path in hop.identity_files:
        file = read_key_file(path)
        if file is None or (not file.private and file.public not in agent):
            continue
        if not file.locked or file.public in agent:
            return ()
        locked.append(path)
    if not hop.explicit_files and (
        agent or any(path in dict(settings.passphrases) for path in locked)
    ):
        return ()
    passphrases = dict(settings.passphrases)
    return tuple(path for path in locked[:1] if path not in passphrases)
