"""known_hosts: who is known, under which name, and what is said of a key that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.ssh.known_hosts import ShownKey, key_status, known_keys, refuse_unless_known

KEY = ShownKey("ssh-ed25519", b"the key of w1")
OTHER = ShownKey("ssh-ed25519", b"another key")
RSA = ShownKey("ssh-rsa", b"an rsa key")


def line(names: str, key: ShownKey = KEY, mark: str = "") -> str:
    return f"{mark}{names} {key.kind} {base64.b64encode(key.blob).decode()} a comment"


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    code = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(code).decode()}"


STANDS = {
    "a plain name": ([line("w1,10.0.0.1")], "known"),
    "among other kinds": ([line("w1", RSA), line("w1")], "known"),
    "one of several keys": ([line("w1", OTHER), line("w1")], "known"),
    "a hashed name": ([line(hashed("w1"))], "known"),
    "a pattern": ([line("w?,!w2")], "known"),
    "a pattern that leaves it out": ([line("*,!w1")], "unknown"),
    "another host": ([line("w2")], "unknown"),
    "another port": ([line("[w1]:2222")], "unknown"),
    "a comment": (["#" + line("w1")], "unknown"),
    "a broken line": (["w1 ssh-ed25519 %%%"], "unknown"),
    "another key of its kind": ([line("w1", OTHER)], "changed"),
    "a key of another kind": ([line("w1", RSA)], "unknown"),
    "revoked, though known": ([line("w1"), line("*", KEY, "@revoked ")], "revoked"),
    "an authority alone": ([line("w1", OTHER, "@cert-authority ")], "certified"),
    "an authority beside its own key": (
        [line("w1", OTHER, "@cert-authority "), line("w1")],
        "known",
    ),
}


@pytest.mark.parametrize(("lines", "state"), STANDS.values(), ids=STANDS)
def test_how_a_key_stands(tmp_path: Path, lines: list[str], state: str) -> None:
    file = tmp_path / "known_hosts"
    file.write_text("\n".join(lines))

    assert key_status(KEY, tuple(known_keys([str(file)], ["w1"])))[0] == state


def test_every_file_counts_and_a_missing_one_knows_nobody(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(line("x"))
    (tmp_path / "two").write_text(line("[w1]:2222"))
    files = [str(tmp_path / name) for name in ("none", "one", "two")]

    (found,) = known_keys(files, ["[w1]:2222"])

    assert found.place == f"{tmp_path}/two:1"


def test_a_file_that_was_added_to_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(line("w2"))
    before = list(known_keys([str(file)], ["w1"]))
    file.write_text(f"{line('w2')}\n{line('w1')}\n")

    assert (before, len(list(known_keys([str(file)], ["w1"])))) == ([], 1)


REFUSED = {
    "changed": ([line("w1", OTHER)], "CHANGED", "{file}:1 has another"),
    "unknown": ([], "unknown host key", "add it to {file}"),
    "of another kind": (
        [line("w1", RSA)],
        "known_hosts has a key of another kind",
        "fleet hostkeys",
    ),
    "revoked": ([line("w1", KEY, "@revoked ")], "is revoked", "{file}:1"),
    "certified": ([line("*", RSA, "@cert-authority ")], "@cert-authority", "fleet hostkeys"),
}


@pytest.mark.parametrize(("lines", "what", "where"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_says_what_where_and_what_to_do(
    tmp_path: Path, lines: list[str], what: str, where: str
) -> None:
    file = tmp_path / "known_hosts"
    file.write_text("\n".join(lines))

    with pytest.raises(NodeError) as caught:
        refuse_unless_known(KEY, ("w1",), (str(file),), ())

    assert caught.value.failure.kind is FailureKind.HOST_KEY
    failure = caught.value.failure
    assert what.format(file=file) in failure.message
    assert where.format(file=file) in f"{failure.message}; {failure.remedy}"


def test_a_fingerprint_is_written_as_ssh_keygen_does() -> None:
    assert ShownKey("k", b"").fingerprint == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
