"""Encrypted keys and login names, known before any node is reached."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.ssh import SshSettings, encrypted_keys, login_name, passphrase_fits

CONFIG = """\
Host *
    IdentityAgent none
Host locked jumped
    IdentityFile {folder}/locked
Host plain
    IdentityFile {folder}/plain
Host jumped
    ProxyJump locked
Host behind
    IdentityFile {folder}/plain
    ProxyJump locked
Host named
    User carol
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> SshSettings:
    """Return settings with an encrypted key and a plain one."""
    folder = tmp_path_factory.mktemp("keys")
    for name, passphrase in (("locked", "secret"), ("plain", "")):
        words = ("-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-f", str(folder / name))
        subprocess.run(["ssh-keygen", *words], check=True)
    (folder / "config").write_text(CONFIG.format(folder=folder))
    return SshSettings(str(folder / "config"))


def names(settings: SshSettings, *hosts: str) -> list[str]:
    nodes = [Node(name=host, host=host) for host in hosts]
    return [Path(path).name for path in encrypted_keys(nodes, settings)]


KEYS = {
    "an encrypted key": (("locked",), ["locked"]),
    "a plain key": (("plain",), []),
    "two nodes with one key": (("locked", "jumped"), ["locked"]),
    "a jump host's key": (("behind",), ["locked"]),
    "no node": ((), []),
}


@pytest.mark.parametrize(("hosts", "keys"), KEYS.values(), ids=KEYS)
def test_every_key_that_needs_a_passphrase_is_named_once(
    settings: SshSettings, hosts: tuple[str, ...], keys: list[str]
) -> None:
    assert names(settings, *hosts) == keys


@pytest.mark.parametrize(("passphrase", "fits"), [("secret", True), ("Secret", False), ("", False)])
def test_a_passphrase_fits_or_does_not(settings: SshSettings, passphrase: str, fits: bool) -> None:
    path = str(Path(settings.config_file or "").with_name("locked"))

    assert passphrase_fits(path, Secret(passphrase)) is fits


@pytest.mark.parametrize(
    ("node", "user"),
    [
        (Node(name="n", host="named"), "carol"),
        (Node(name="n", host="named", user="eve"), "eve"),
        (Node(name="n", host="x", user="eve"), "eve"),
    ],
)
def test_the_login_is_that_of_the_inventory_or_of_ssh_config(
    settings: SshSettings, node: Node, user: str
) -> None:
    assert login_name(node, settings) == user


def test_a_broken_ssh_config_is_left_for_the_connection_to_report(tmp_path: Path) -> None:
    settings = SshSettings(str(tmp_path / "nowhere"))
    node = Node(name="n", host="n")

    assert (encrypted_keys([node], settings), login_name(node, settings)) == ((), "")
