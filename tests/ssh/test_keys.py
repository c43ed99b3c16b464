"""Which keys are tried, in which order, and what an identity file tells before it is opened."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.secret import Secret
from fleet.ssh.keys import identities, locked_files, open_key, read_key_file, record_accepted
from fleet.ssh.route import Hop, SshSettings

PASSPHRASE = Secret("secret")


def keygen(path: Path, *words: str, passphrase: str = "") -> Path:
    command = ("ssh-keygen", "-q", "-N", passphrase, "-C", path.name, "-f", str(path), *words)
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a key of every form that users have."""
    folder = tmp_path_factory.mktemp("keys")
    keygen(folder / "plain", "-t", "ed25519")
    keygen(folder / "second", "-t", "ecdsa")
    quick = ("-a", "1")  # rounds of bcrypt
    keygen(folder / "locked", "-t", "ed25519", *quick, passphrase=PASSPHRASE)
    keygen(folder / "pem", "-t", "rsa", "-b", "2048", "-m", "PEM", passphrase=PASSPHRASE)
    keygen(folder / "pkcs8", "-t", "ecdsa", "-m", "PKCS8", passphrase=PASSPHRASE)
    return folder


@pytest.fixture(scope="module")
def agent(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an agent that holds three keys, the second of the folder's among them."""
    path = str(tmp_path_factory.mktemp("agent") / "socket")
    with subprocess.Popen(("ssh-agent", "-D", "-a", path), stdout=subprocess.DEVNULL) as running:
        while not Path(path).exists():
            assert running.poll() is None
        others = [keygen(folder / f"agent{n}", "-t", "ed25519") for n in range(2)]
        keys = (others[0], folder / "second", others[1])
        words = ("ssh-add", "-q", *map(str, keys))
        subprocess.run(words, env={**os.environ, "SSH_AUTH_SOCK": path}, check=True)
        yield path
        running.terminate()


LOCKED = {
    "plain": False,
    "second": False,
    "locked": True,
    "pem": True,
    "pkcs8": True,
}


@pytest.mark.parametrize(("name", "locked"), LOCKED.items(), ids=LOCKED)
def test_an_identity_file_tells_whether_it_is_locked_and_whose_it_is(
    folder: Path, name: str, locked: bool
) -> None:
    file = read_key_file(str(folder / name))
    key = open_key(str(folder / name), PASSPHRASE if locked else None)

    assert file is not None
    assert (file.locked, file.public) == (locked, key.asbytes())


@pytest.mark.parametrize("name", ["locked", "pem", "pkcs8"])
def test_a_wrong_passphrase_or_none_is_an_error_that_holds_no_secret(
    folder: Path, name: str
) -> None:
    for passphrase in (Secret("wrong-one"), None):
        with pytest.raises(NodeError) as caught:
            open_key(str(folder / name), passphrase)
        assert str(folder / name) in str(caught.value)
        assert "wrong-one" not in str(caught.value)


def labels(hop: Hop, settings: SshSettings | None = None) -> list[str]:
    found = identities(hop, settings or SshSettings())
    return [Path(each.label.removeprefix("agent: ")).name for each in found]


ALONE = {"explicit_files": True, "identities_only": True}
ORDERS = {
    "what is named, then the agent's": (
        ["plain"],
        {"explicit_files": True},
        ["plain", "agent0", "second", "agent1"],
    ),
    "what is named and the agent holds": (
        ["second"],
        {"explicit_files": True},
        ["second", "agent0", "agent1"],
    ),
    "what is named alone": (
        ["plain", "second"],
        {"explicit_files": True, "identities_only": True},
        ["plain", "second"],
    ),
    "the agent's, then the defaults": (["plain"], {}, ["agent0", "second", "agent1", "plain"]),
    "a public half alone": (["second.pub"], ALONE, ["second"]),
    "nothing there": (["nothing"], ALONE, []),
    "a locked one is left out": (["locked"], ALONE, []),
}


@pytest.mark.parametrize(("files", "said", "expected"), ORDERS.values(), ids=ORDERS)
def test_the_order_of_keys(
    folder: Path, agent: str, files: list[str], said: dict[str, bool], expected: list[str]
) -> None:
    paths = tuple(str(folder / name) for name in files)

    assert (
        labels(Hop(host="h", port=22, user="u", identity_files=paths, agent_socket=agent, **said))
        == expected
    )


def test_a_key_of_the_agent_is_signed_for_by_the_agent(folder: Path, agent: str) -> None:
    files = (str(folder / "second"),)
    hop = Hop(
        host="h",
        port=22,
        user="u",
        identity_files=files,
        explicit_files=True,
        identities_only=True,
        agent_socket=agent,
    )

    (found,) = identities(hop, SshSettings())

    assert found.label == "agent: second"
    assert found.key.sign_ssh_data(b"data")


def test_what_opened_one_node_comes_first_at_the_next(folder: Path, agent: str) -> None:
    hop = Hop(host="h", port=22, user="first", identity_files=(), agent_socket=agent)
    last = identities(hop, SshSettings())[-1]
    record_accepted(hop, last)

    assert labels(Hop(host="other", port=22, user="first", agent_socket=agent))[0] == "agent1"
    assert labels(Hop(host="h", port=22, user="second", agent_socket=agent))[0] == "agent0"


def test_a_passphrase_is_wanted_where_no_other_key_comes_first(folder: Path, agent: str) -> None:
    locked, plain = str(folder / "locked"), str(folder / "plain")
    given = SshSettings(passphrases=((locked, PASSPHRASE),))
    none = SshSettings()

    def wanted(files: tuple[str, ...], settings: SshSettings, **said: object) -> tuple[str, ...]:
        return locked_files(
            Hop(host="h", port=22, user="u", identity_files=files, **said), settings
        )  # type: ignore[arg-type]

    assert wanted((locked,), none, explicit_files=True) == (locked,)
    assert wanted((locked,), none, explicit_files=True, agent_socket=agent) == (locked,)
    assert wanted((locked,), given, explicit_files=True) == ()
    assert wanted((plain, locked), none, explicit_files=True) == ()
    assert wanted((locked,), none, agent_socket=agent) == ()
    assert wanted((locked,), none) == (locked,)
    assert labels(
        Hop(host="h", port=22, user="u", identity_files=(locked,), explicit_files=True), given
    ) == ["locked"]


def test_a_passphrase_is_shown_nowhere() -> None:
    assert "secret" not in repr(SshSettings(passphrases=(("k", PASSPHRASE),)))
